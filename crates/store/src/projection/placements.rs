//! Placements: in which departments a person belongs, and in which ones the target has them.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::org_unit::OrgName;
use sqlx::PgConnection;
use sqlx::Row;
use uuid::Uuid;

/// The departments of a person, wanted and applied, in the order of their ids. None is the root, or nowhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Placement {
    /// Where the directory wants them.
    pub wanted: Vec<Uuid>,
    /// Where the target has them.
    pub applied: Vec<Uuid>,
    /// Which of those wanted they are to head.
    pub headed: Vec<Uuid>,
}

/// A department in which a person belongs.
#[derive(Clone, Copy, Debug)]
pub struct WantedPlace<'a> {
    /// The way to it from the root, not empty.
    pub path: &'a [OrgName],
    /// Whether the person heads it.
    pub head: bool,
}

/// What is kept of one department of one person.
struct Place {
    unit: Uuid,
    wanted: bool,
    applied: bool,
    head: bool,
}

impl Store {
    /// Notes where a person belongs: makes sure that the departments exist, keeps the wish, and marks the departments
    /// that have something to do now: the new ones, those that the person leaves and those that get or lose a head.
    /// Returns the department of each of `wanted`.
    ///
    /// `None` means that the claim is lost and nothing was changed.
    pub async fn place(&self, claim: &Claim, wanted: &[WantedPlace<'_>]) -> Result<Option<Vec<Uuid>>, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let mut wishes: Vec<(Uuid, bool)> = Vec::with_capacity(wanted.len());
        let mut units = Vec::with_capacity(wanted.len());
        for place in wanted {
            let mut unit = None;
            for name in place.path {
                unit = Some(self.ensure_unit(&mut tx, claim, unit, name).await?);
            }
            units.extend(unit);
            match unit.map(|unit| (unit, wishes.iter_mut().find(|(known, _)| *known == unit))) {
                Some((_, Some((_, head)))) => *head |= place.head,
                Some((unit, None)) => wishes.push((unit, place.head)),
                None => {}
            }
        }
        self.move_wish(&mut tx, claim, &wishes).await?;
        tx.commit().await?;
        Ok(Some(units))
    }

    /// The department at this path, if it is among ours.
    pub async fn find_unit(&self, claim: &Claim, path: &[OrgName]) -> Result<Option<Uuid>, StoreError> {
        let mut parent = claim.target.0;
        for name in path {
            let unit: Option<Uuid> = sqlx::query_scalar(
                "SELECT id FROM org_units
                 WHERE tenant_id = $1 AND target_id = $2 AND parent_id = $3 AND name_key = $4 AND gone_at IS NULL",
            )
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(parent)
            .bind(&name.key)
            .fetch_optional(self.pool())
            .await?;
            let Some(unit) = unit else { return Ok(None) };
            parent = unit;
        }
        Ok((parent != claim.target.0).then_some(parent))
    }

    /// The person has left: they are wanted in no department. `false` when the claim is lost.
    pub async fn displace(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        self.move_wish(&mut tx, claim, &[]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The target has the person in `units` now (none: at the root, or not at all). The departments that they left
    /// are marked, since they may be empty, and those that they are to head. `false` when the claim is lost.
    pub async fn placed(&self, claim: &Claim, units: &[Uuid]) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let before = places(&mut tx, claim).await?;
        sqlx::query(
            "WITH there AS (SELECT unnest($4::uuid[]) AS unit_id),
             left_behind AS (
                 DELETE FROM placements p
                 WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.user_id = $3 AND NOT p.wanted
                   AND p.unit_id <> ALL ($4)),
             gone AS (
                 UPDATE placements p SET applied = false
                 WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.user_id = $3 AND p.wanted AND p.applied
                   AND p.unit_id <> ALL ($4))
             INSERT INTO placements (tenant_id, target_id, user_id, unit_id, wanted, applied)
             SELECT $1, $2, $3, there.unit_id, false, true FROM there
             ON CONFLICT (tenant_id, target_id, user_id, unit_id) DO UPDATE SET applied = true",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(units)
        .execute(&mut *tx)
        .await?;
        for place in &before {
            let there = units.contains(&place.unit);
            if (place.applied && !there) || (place.head && place.applied != there) {
                self.mark_unit(&mut tx, claim, place.unit).await?;
            }
        }
        let new = |unit: &&Uuid| !before.iter().any(|place| place.unit == **unit && place.applied);
        let new: Vec<Uuid> = units.iter().filter(new).copied().collect();
        for unit in inherited(&mut tx, claim, &new).await? {
            self.mark_unit(&mut tx, claim, unit).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    pub(super) async fn ensure_unit(
        &self,
        tx: &mut PgConnection,
        claim: &Claim,
        parent: Option<Uuid>,
        name: &OrgName,
    ) -> Result<Uuid, StoreError> {
        let parent = parent.unwrap_or(claim.target.0);
        // Shared with everybody who places somebody below it; only whoever takes the department away wants it alone,
        // and must wait until the wish is noted.
        let there: Option<Uuid> = sqlx::query_scalar(
            "SELECT id FROM org_units
             WHERE tenant_id = $1 AND target_id = $2 AND parent_id = $3 AND name_key = $4 AND gone_at IS NULL
             FOR SHARE",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(parent)
        .bind(&name.key)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(id) = there {
            return Ok(id);
        }
        let row = sqlx::query(
            "INSERT INTO org_units AS o (tenant_id, target_id, id, parent_id, name, name_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, target_id, parent_id, name_key) WHERE gone_at IS NULL
             DO UPDATE SET name = o.name
             RETURNING o.id, (xmax = 0) AS new",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(self.new_id())
        .bind(parent)
        .bind(&name.name)
        .bind(&name.key)
        .bind(self.now())
        .fetch_one(&mut *tx)
        .await?;
        let id: Uuid = row.try_get("id")?;
        if row.try_get("new")? {
            self.mark_unit(tx, claim, id).await?;
        }
        Ok(id)
    }

    async fn move_wish(&self, tx: &mut PgConnection, claim: &Claim, wishes: &[(Uuid, bool)]) -> Result<(), StoreError> {
        let before = places(tx, claim).await?;
        let (units, heads): (Vec<Uuid>, Vec<bool>) = wishes.iter().copied().unzip();
        let unchanged = before.iter().filter(|place| place.wanted).count() == wishes.len()
            && before.iter().filter(|place| place.wanted).all(|place| wishes.contains(&(place.unit, place.head)));
        if unchanged {
            return Ok(());
        }
        sqlx::query(
            "WITH given_up AS (
                 DELETE FROM placements p
                 WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.user_id = $3 AND NOT p.applied
                   AND p.unit_id <> ALL ($4)),
             to_leave AS (
                 UPDATE placements p SET wanted = false, head = false
                 WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.user_id = $3 AND p.wanted AND p.applied
                   AND p.unit_id <> ALL ($4))
             INSERT INTO placements (tenant_id, target_id, user_id, unit_id, wanted, applied, head)
             SELECT $1, $2, $3, w.unit_id, true, false, w.head FROM unnest($4::uuid[], $5::boolean[]) AS w (unit_id, head)
             ON CONFLICT (tenant_id, target_id, user_id, unit_id) DO UPDATE SET wanted = true, head = EXCLUDED.head",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(&units)
        .bind(&heads)
        .execute(&mut *tx)
        .await?;
        for place in &before {
            let wish = wishes.iter().find(|(unit, _)| *unit == place.unit);
            let heads_now = wish.is_some_and(|(_, head)| *head);
            if (place.wanted && wish.is_none()) || (place.applied && place.head != heads_now) {
                self.mark_unit(tx, claim, place.unit).await?;
            }
        }
        for (unit, _) in wishes {
            if !before.iter().any(|place| place.unit == *unit && place.wanted) {
                // A department that was on its way out is wanted again.
                self.mark_unit_unless_settled(tx, claim, *unit).await?;
            }
        }
        Ok(())
    }
}

/// What is kept of the departments of the claim's person.
async fn places(tx: &mut PgConnection, claim: &Claim) -> Result<Vec<Place>, StoreError> {
    let rows = sqlx::query(
        "SELECT unit_id, wanted, applied, head FROM placements
         WHERE tenant_id = $1 AND target_id = $2 AND user_id = $3 ORDER BY unit_id FOR UPDATE",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.resource.0)
    .fetch_all(tx)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Place {
                unit: row.try_get("unit_id")?,
                wanted: row.try_get("wanted")?,
                applied: row.try_get("applied")?,
                head: row.try_get("head")?,
            })
        })
        .collect()
}

/// Those of these departments whose heads have left and handed over to the claim's person.
async fn inherited(tx: &mut PgConnection, claim: &Claim, units: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    if units.is_empty() {
        return Ok(Vec::new());
    }
    let inherited = sqlx::query_scalar(
        "SELECT DISTINCT s.unit_id FROM handovers h
         JOIN headships s ON s.tenant_id = $1 AND s.target_id = $2 AND s.leaver_id = h.leaver_id
         WHERE h.tenant_id = $1 AND h.target_id = $2 AND h.successor_id = $3 AND s.unit_id = ANY ($4)
         ORDER BY s.unit_id",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.resource.0)
    .bind(units)
    .fetch_all(tx)
    .await?;
    Ok(inherited)
}

/// Whether the claim is still held; its row stays locked until the transaction ends.
pub(super) async fn fenced(tx: &mut PgConnection, claim: &Claim) -> Result<bool, StoreError> {
    let held: Option<i64> = sqlx::query_scalar(
        "SELECT lease_epoch FROM deliveries
         WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4 AND lease_epoch = $5
         FOR UPDATE",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.kind.as_str())
    .bind(claim.resource.0)
    .bind(claim.epoch)
    .fetch_optional(&mut *tx)
    .await?;
    Ok(held.is_some())
}
