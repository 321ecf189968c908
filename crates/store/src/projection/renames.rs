//! A renamed department is a rename at the target, not a deletion and a creation.
//!
//! Departments follow from people's attributes, so a rename arrives as everybody moving from one name to
//! another under the same parent. When nobody is wanted in the old one any more, all whom the target still has
//! there are wanted in the new one, and somebody at the same depth, the new one takes over the old one's link, and so
//! do the departments below, name by name. While the rest of the people of the old one are about to be looked at, the
//! new one waits.
//!
//! The depth tells a rename from a level that is left out: when `North / Sales` becomes `Sales`, all go from below
//! North to Sales, and North has not been renamed all the same.

use super::claims::Claim;
use super::placements::fenced;
use crate::{Store, StoreError};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// The department `$3` and all below it, each with its depth under it.
const TREE: &str = "WITH RECURSIVE tree AS (
        SELECT id, 0 AS depth FROM org_units WHERE tenant_id = $1 AND target_id = $2 AND id = $3
        UNION ALL
        SELECT o.id, tree.depth + 1 FROM org_units o JOIN tree ON o.parent_id = tree.id
        WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.gone_at IS NULL)
    SELECT id, depth FROM tree";

/// A department and all below it.
#[derive(Debug)]
struct Tree {
    units: Vec<Uuid>,
    /// How deep under the first one each is.
    depths: Vec<i32>,
}

/// Whether a department `old` beside the new department `$3` may be on its way to be renamed to it: somebody whom the
/// target has in the old tree is wanted in the new one, nobody goes elsewhere, and everybody who is still wanted in
/// the old tree is about to be looked at.
const UNDER_WAY: &str = "WITH RECURSIVE trees AS (
        SELECT o.id AS root, o.id FROM org_units new
        JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = new.parent_id AND o.gone_at IS NULL
        WHERE new.tenant_id = $1 AND new.target_id = $2 AND new.id = $3 AND new.gone_at IS NULL
        UNION ALL
        SELECT trees.root, o.id FROM org_units o JOIN trees ON o.parent_id = trees.id
        WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.gone_at IS NULL),
    people AS (
        SELECT p.user_id, trees.root, bool_or(p.applied) AS had, bool_or(p.wanted) AS wants,
               COALESCE(bool_or(d.state IN ('pending', 'applying')), false) AS coming
        FROM placements p
        JOIN trees ON trees.id = p.unit_id
        LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'
                              AND d.resource_id = p.user_id
        WHERE p.tenant_id = $1 AND p.target_id = $2
        GROUP BY p.user_id, trees.root),
    movers AS (SELECT user_id FROM people WHERE root = $3 AND wants)
    SELECT EXISTS (
        SELECT 1 FROM links l
        JOIN (SELECT DISTINCT root FROM trees WHERE root <> $3) old ON old.root = l.resource_id
        WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'org_unit' AND l.observed = 'known'
          AND starts_with(l.snapshot ->> 'source_identifier', $4)
          AND EXISTS (SELECT 1 FROM people JOIN movers USING (user_id) WHERE root = old.root AND had)
          AND EXISTS (SELECT 1 FROM people WHERE root = old.root AND wants)
          AND NOT EXISTS (SELECT 1 FROM people WHERE root = old.root AND wants AND NOT coming)
          AND NOT EXISTS (SELECT 1 FROM people WHERE root = old.root AND had AND NOT wants
                            AND user_id NOT IN (SELECT user_id FROM movers)))";

/// What became of the question whether a department was renamed to the claimed one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rename {
    /// None was.
    No,
    /// One may be: the rest of its people are about to be looked at, or a call for it is under way, so the answer is
    /// known soon.
    UnderWay,
    /// One was, and the claimed one has taken it over: it must be loaded again.
    TakenOver,
}

impl Store {
    /// Lets the claimed, not yet existing department take over one that was renamed to it. [`Rename::No`] also when
    /// the claim is lost.
    ///
    /// Only a department whose sign at the target begins with `ours` is taken over: what others made keeps its name.
    pub async fn take_over_renamed(&self, claim: &Claim, ours: &str) -> Result<Rename, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(Rename::No);
        }
        let new_tree = tree(&mut tx, claim, claim.resource.0).await?;
        if !someone_moves_in(&mut tx, claim, &new_tree.units).await? {
            tx.rollback().await?;
            return Ok(Rename::No);
        }
        // Asked first: whoever is placed between the two questions is seen by the second one.
        let under_way: bool = sqlx::query_scalar(UNDER_WAY)
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(claim.resource.0)
            .bind(ours)
            .fetch_one(&mut *tx)
            .await?;
        let candidates: Vec<Uuid> = sqlx::query_scalar(
            "SELECT old.id FROM org_units new
             JOIN org_units old ON old.tenant_id = new.tenant_id AND old.target_id = new.target_id
                               AND old.parent_id = new.parent_id AND old.id <> new.id AND old.gone_at IS NULL
             JOIN links l ON l.tenant_id = old.tenant_id AND l.target_id = old.target_id
                         AND l.resource_kind = 'org_unit' AND l.resource_id = old.id AND l.observed = 'known'
                         AND starts_with(l.snapshot ->> 'source_identifier', $4)
             WHERE new.tenant_id = $1 AND new.target_id = $2 AND new.id = $3 AND new.gone_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM placements p WHERE p.tenant_id = $1 AND p.target_id = $2
                                 AND p.unit_id = old.id AND p.wanted)
             ORDER BY old.id LIMIT 20",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(ours)
        .fetch_all(&mut *tx)
        .await?;
        for old in candidates {
            let old_tree = tree(&mut tx, claim, old).await?;
            // Only then look, so that nobody is placed there after the look.
            if alone(&mut tx, claim, &old_tree.units).await?
                && self.moved_over(&mut tx, claim, &old_tree, &new_tree).await?
            {
                if self.take_over(&mut tx, claim, old, claim.resource.0).await? {
                    tx.commit().await?;
                    return Ok(Rename::TakenOver);
                }
                tx.rollback().await?;
                return Ok(Rename::UnderWay);
            }
        }
        tx.rollback().await?;
        Ok(if under_way { Rename::UnderWay } else { Rename::No })
    }

    /// Whether everybody whom the target has in the old departments is wanted in the new ones, at least one person at
    /// the same depth, and nobody is wanted in the old ones.
    async fn moved_over(
        &self,
        tx: &mut PgConnection,
        claim: &Claim,
        old: &Tree,
        new: &Tree,
    ) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "WITH old AS (
                 SELECT p.user_id, bool_or(p.wanted) AS wants, array_agg(o.depth) FILTER (WHERE p.applied) AS depths
                 FROM unnest($3::uuid[], $4::int[]) AS o (id, depth)
                 JOIN placements p ON p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = o.id
                 GROUP BY p.user_id),
             movers AS (
                 SELECT p.user_id, array_agg(n.depth) AS depths
                 FROM unnest($5::uuid[], $6::int[]) AS n (id, depth)
                 JOIN placements p ON p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = n.id AND p.wanted
                 GROUP BY p.user_id)
             SELECT count(*) FILTER (WHERE old.depths && movers.depths) AS alike,
                    count(*) FILTER (WHERE old.depths IS NOT NULL AND movers.depths IS NULL) AS elsewhere,
                    count(*) FILTER (WHERE wants) AS wanted
             FROM old LEFT JOIN movers USING (user_id)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(&old.units)
        .bind(&old.depths)
        .bind(&new.units)
        .bind(&new.depths)
        .fetch_one(tx)
        .await?;
        let (alike, elsewhere, wanted): (i64, i64, i64) =
            (row.try_get("alike")?, row.try_get("elsewhere")?, row.try_get("wanted")?);
        Ok(alike > 0 && elsewhere == 0 && wanted == 0)
    }

    /// Moves link, people and children of `old` to `new`, and of each child to its namesake. The depth is that
    /// of the mapping: three levels. `false` when it cannot be done now, and nothing of it may stay.
    async fn take_over(&self, tx: &mut PgConnection, claim: &Claim, old: Uuid, new: Uuid) -> Result<bool, StoreError> {
        let mut pairs = vec![(old, new)];
        while let Some((old, new)) = pairs.pop() {
            self.end_claim(tx, claim, old).await?;
            if !settled(tx, claim, old).await? {
                return Ok(false);
            }
            self.take_over_one(tx, claim, old, new).await?;
            let namesakes: Vec<(Uuid, Uuid)> = sqlx::query_as(
                "SELECT o.id, n.id FROM org_units o
                 JOIN org_units n ON n.tenant_id = $1 AND n.target_id = $2 AND n.parent_id = $4
                                 AND n.name_key = o.name_key AND n.gone_at IS NULL
                 WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = $3 AND o.gone_at IS NULL",
            )
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(old)
            .bind(new)
            .fetch_all(&mut *tx)
            .await?;
            let matched: Vec<Uuid> = namesakes.iter().map(|(child, _)| *child).collect();
            sqlx::query(
                "UPDATE org_units SET parent_id = $4
                 WHERE tenant_id = $1 AND target_id = $2 AND parent_id = $3 AND gone_at IS NULL AND NOT id = ANY($5)",
            )
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(old)
            .bind(new)
            .bind(matched)
            .execute(&mut *tx)
            .await?;
            pairs.extend(namesakes);
        }
        Ok(true)
    }

    /// Whoever is at the old one loses its claim; should it not be settled, nothing of this stays. The delivery before
    /// the link, as whoever begins a call takes them.
    async fn end_claim(&self, tx: &mut PgConnection, claim: &Claim, old: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE deliveries SET lease_epoch = lease_epoch + 1, lease_until = NULL, leased_by = NULL,
                    state = 'gone', done_mark = mark, due_at = NULL, dirty_since = NULL, waiting_for = NULL,
                    updated_at = $4
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'org_unit' AND resource_id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(old)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        Ok(())
    }

    async fn take_over_one(
        &self,
        tx: &mut PgConnection,
        claim: &Claim,
        old: Uuid,
        new: Uuid,
    ) -> Result<(), StoreError> {
        // The new one has no entity yet, at most a forgotten row; the old one's link becomes its own.
        sqlx::query(
            "DELETE FROM links WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'org_unit'
               AND resource_id = $4 AND EXISTS (SELECT 1 FROM links WHERE tenant_id = $1 AND target_id = $2
                                                  AND resource_kind = 'org_unit' AND resource_id = $3)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(old)
        .bind(new)
        .execute(&mut *tx)
        .await?;
        for statement in [
            "UPDATE links SET resource_id = $4 WHERE tenant_id = $1 AND target_id = $2
               AND resource_kind = 'org_unit' AND resource_id = $3",
            "WITH moved AS (
                 DELETE FROM placements WHERE tenant_id = $1 AND target_id = $2 AND unit_id = $3 RETURNING user_id, applied)
             INSERT INTO placements (tenant_id, target_id, user_id, unit_id, wanted, applied)
             SELECT $1, $2, user_id, $4, false, true FROM moved WHERE applied
             ON CONFLICT (tenant_id, target_id, user_id, unit_id) DO UPDATE SET applied = true",
        ] {
            sqlx::query(statement)
                .bind(claim.tenant.0)
                .bind(claim.target.0)
                .bind(old)
                .bind(new)
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query("UPDATE org_units SET gone_at = $4 WHERE tenant_id = $1 AND target_id = $2 AND id = $3")
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(old)
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        // Whoever waits for the old one waits for the new one.
        sqlx::query(
            "UPDATE deliveries SET waiting_for = $4
             WHERE tenant_id = $1 AND target_id = $2 AND waiting_for = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(old)
        .bind(new)
        .execute(&mut *tx)
        .await?;
        if new == claim.resource.0 { Ok(()) } else { self.mark_unit(tx, claim, new).await }
    }
}

/// Whether anybody who is wanted in one of these departments is in one at the target. In a first import nobody is, and
/// the questions that look at everybody need not be asked.
async fn someone_moves_in(tx: &mut PgConnection, claim: &Claim, units: &[Uuid]) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(
        // `OFFSET 0`: person by person. Where nothing was ever counted, as in a new target, it would begin with everybody
        // who is in any department.
        "SELECT EXISTS (SELECT 1 FROM placements p
                        WHERE p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = ANY($3) AND p.wanted
                          AND EXISTS (SELECT 1 FROM placements had
                                      WHERE had.tenant_id = $1 AND had.target_id = $2 AND had.user_id = p.user_id
                                        AND had.applied OFFSET 0))",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(units)
    .fetch_one(tx)
    .await?)
}

/// Whether nobody is about to place somebody in one of these departments; if so, nobody can until the transaction ends.
async fn alone(tx: &mut PgConnection, claim: &Claim, units: &[Uuid]) -> Result<bool, StoreError> {
    let locked: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM org_units WHERE tenant_id = $1 AND target_id = $2 AND id = ANY($3) AND gone_at IS NULL
         FOR UPDATE SKIP LOCKED",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(units)
    .fetch_all(tx)
    .await?;
    Ok(locked.len() == units.len())
}

/// Whether no call is under way for a department, so that what is known of it is true. Nobody can begin one, since
/// nobody has its claim.
async fn settled(tx: &mut PgConnection, claim: &Claim, unit: Uuid) -> Result<bool, StoreError> {
    let observed: Option<String> = sqlx::query_scalar(
        "SELECT observed FROM links
         WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'org_unit' AND resource_id = $3 FOR UPDATE",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(unit)
    .fetch_optional(tx)
    .await?;
    Ok(observed.as_deref() != Some("unknown"))
}

async fn tree(tx: &mut PgConnection, claim: &Claim, root: Uuid) -> Result<Tree, StoreError> {
    let rows: Vec<(Uuid, i32)> =
        sqlx::query_as(TREE).bind(claim.tenant.0).bind(claim.target.0).bind(root).fetch_all(tx).await?;
    let (units, depths) = rows.into_iter().unzip();
    Ok(Tree { units, depths })
}
