//! What must be done to the members of a role or chat: counted, shown, done in batches, and remembered when it is done.

use super::claims::Claim;
use super::placements::fenced;
use crate::{Store, StoreError};
use rollcall_provisioning::proposal::Movement;
use uuid::Uuid;

/// How many members are named where not all can be.
const NAMED: i64 = 5;

/// How many members of a group stand where.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, sqlx::FromRow)]
pub struct MemberCounts {
    /// To be added, and having an account.
    pub to_add: i64,
    /// To be removed.
    pub to_remove: i64,
    /// Without an account that is on its way.
    pub waiting: i64,
    /// Not taken by the target.
    pub refused: i64,
}

/// A member to be added or removed.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct MemberRow {
    /// Whose row.
    pub user_id: Uuid,
    /// Their account.
    pub remote_id: String,
    /// The mark that was seen.
    pub mark: i64,
}

/// Which members are moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Movers<'a> {
    /// Those who are to be added.
    Come,
    /// Those who are to be removed.
    Leave,
    /// Of those only people who are to lose their access, but not this account: a chat never loses its last owner.
    LoseAccess(Option<&'a str>),
}

/// Some members, and why.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NamedMembers {
    /// The first of them, by name.
    pub first: Vec<String>,
    /// What the target said about the first of them, if it refused them.
    pub why: Option<String>,
}

/// Who is to be added or removed (`$4`), also those who wait for an account that is on its way.
macro_rules! movement {
    () => {
        "FROM group_members gm \
         LEFT JOIN users u ON u.tenant_id = $1 AND u.id = gm.user_id \
         LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user' \
                               AND d.resource_id = gm.user_id \
         WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id <> $3 \
           AND gm.wanted = $4 AND gm.applied <> $4 \
           AND (gm.mark > gm.done_mark OR gm.wanted AND gm.refused IS NULL AND u.active AND d.state <> 'gone')"
    };
}

/// The rows of which something must be done to the target.
macro_rules! to_do {
    () => {
        "gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id <> $3 AND gm.mark > gm.done_mark \
         AND gm.wanted <> gm.applied AND gm.remote_id IS NOT NULL"
    };
}

impl Store {
    /// How many members of the claim's group stand where. Whoever is not to have an account is not waited for.
    pub async fn member_counts(&self, claim: &Claim) -> Result<MemberCounts, StoreError> {
        let counts = sqlx::query_as(concat!(
            "SELECT (SELECT count(*) FROM group_members gm WHERE gm.wanted AND ",
            to_do!(),
            ") AS to_add, (SELECT count(*) FROM group_members gm WHERE NOT gm.wanted AND ",
            to_do!(),
            ") AS to_remove,
               count(*) FILTER (WHERE gm.refused IS NULL AND u.active AND d.state <> 'gone') AS waiting,
               (SELECT count(*) FROM group_members r WHERE r.tenant_id = $1 AND r.target_id = $2 AND r.group_id = $3
                  AND r.refused IS NOT NULL) AS refused
             FROM group_members gm
             LEFT JOIN users u ON u.tenant_id = $1 AND u.id = gm.user_id
             LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'
                                   AND d.resource_id = gm.user_id
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.wanted AND NOT gm.applied
               AND (gm.mark = gm.done_mark OR gm.remote_id IS NULL)"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_one(self.pool())
        .await?;
        Ok(counts)
    }

    /// The first of those who wait for an account, or whom the target refuses.
    pub async fn named_members(&self, claim: &Claim, refused: bool) -> Result<NamedMembers, StoreError> {
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT COALESCE(u.attributes ->> 'userName', gm.remote_id, gm.user_id::text), gm.refused FROM group_members gm
             LEFT JOIN users u ON u.tenant_id = $1 AND u.id = gm.user_id
             LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'
                                   AND d.resource_id = gm.user_id
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3
               AND CASE WHEN $4 THEN gm.refused IS NOT NULL
                        ELSE (gm.mark = gm.done_mark OR gm.remote_id IS NULL) AND gm.wanted AND NOT gm.applied AND gm.refused IS NULL AND u.active AND d.state <> 'gone' END
             ORDER BY gm.user_id LIMIT $5",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(refused)
        .bind(NAMED)
        .fetch_all(self.pool())
        .await?;
        let why = rows.first().and_then(|(_, why)| why.clone());
        Ok(NamedMembers { first: rows.into_iter().map(|(name, _)| name).collect(), why })
    }

    /// Who is to be added (`adding`) or removed, as a plan shows it.
    pub async fn member_movement(&self, claim: &Claim, adding: bool) -> Result<Movement, StoreError> {
        let (count, set): (i64, Option<String>) = sqlx::query_as(concat!(
            "SELECT count(*), md5(string_agg(gm.user_id::text, ',' ORDER BY gm.user_id)) ",
            movement!()
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(adding)
        .fetch_one(self.pool())
        .await?;
        let first = sqlx::query_scalar(concat!(
            "SELECT COALESCE(u.attributes ->> 'userName', gm.remote_id, gm.user_id::text) ",
            movement!(),
            " ORDER BY gm.user_id LIMIT $5"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(adding)
        .bind(NAMED)
        .fetch_all(self.pool())
        .await?;
        Ok(Movement { count: u64::try_from(count).unwrap_or(0), first, set: set.unwrap_or_default() })
    }

    /// What is to be done is shown in a plan: of each member it is remembered in which. `false` when the claim is lost.
    pub async fn offer_members(
        &self,
        claim: &Claim,
        (added, removed): (&Movement, &Movement),
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(
            "UPDATE group_members gm SET offered = CASE WHEN gm.wanted THEN $4 ELSE $5 END
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.wanted <> gm.applied
               AND gm.offered IS DISTINCT FROM CASE WHEN gm.wanted THEN $4 ELSE $5 END",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(&added.set)
        .bind(&removed.set)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Whether all that is to be done was shown in the plan that names these sets of members.
    pub async fn were_offered(&self, claim: &Claim, added: &str, removed: &str) -> Result<bool, StoreError> {
        let others: bool = sqlx::query_scalar(concat!(
            "SELECT EXISTS (SELECT 1 FROM group_members gm
                            WHERE gm.offered IS DISTINCT FROM CASE WHEN gm.wanted THEN $4 ELSE $5 END AND ",
            to_do!(),
            ")"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(added)
        .bind(removed)
        .fetch_one(self.pool())
        .await?;
        Ok(!others)
    }

    /// The next members to be moved; `None` when the claim is lost.
    pub async fn member_batch(
        &self,
        claim: &Claim,
        movers: Movers<'_>,
        most: usize,
    ) -> Result<Option<Vec<MemberRow>>, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let rows = sqlx::query_as(concat!(
            "SELECT gm.user_id, gm.remote_id, gm.mark FROM group_members gm WHERE gm.wanted = $4 AND ",
            to_do!(),
            " AND (NOT $6 OR gm.remote_id IS DISTINCT FROM $7
                            AND EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.id = gm.user_id
                                          AND (NOT u.active OR u.deleted_at IS NOT NULL)))
              ORDER BY gm.user_id LIMIT $5"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(movers == Movers::Come)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .bind(matches!(movers, Movers::LoseAccess(_)))
        .bind(if let Movers::LoseAccess(owner) = movers { owner } else { None })
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(rows))
    }

    /// The target has these members now (`adding`), or has them no more. `false` when the claim is lost.
    pub async fn members_moved(&self, claim: &Claim, adding: bool, rows: &[MemberRow]) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let statement = if adding {
            "UPDATE group_members gm SET applied = true, refused = NULL, offered = NULL, done_mark = done.mark,
                    remote_id = done.remote_id
             FROM unnest($4::uuid[], $5::bigint[], $6::text[]) AS done (user_id, mark, remote_id)
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id = done.user_id"
        } else {
            "WITH done AS (
                 SELECT * FROM unnest($4::uuid[], $5::bigint[], $6::text[]) AS done (user_id, mark, remote_id)),
             forgotten AS (
                 DELETE FROM group_members gm USING done
                 WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id = done.user_id
                   AND gm.mark = done.mark)
             UPDATE group_members gm SET applied = false, refused = NULL, offered = NULL, remote_id = NULL FROM done
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id = done.user_id
               AND gm.mark <> done.mark"
        };
        sqlx::query(statement)
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(claim.resource.0)
            .bind(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.mark).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.remote_id.as_str()).collect::<Vec<_>>())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The target does not take a member, or does not let them go. Says whether it is so for the first time; `None` when
    /// the claim is lost.
    pub async fn member_refused(&self, claim: &Claim, row: &MemberRow, why: &str) -> Result<Option<bool>, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let before: Option<Option<String>> = sqlx::query_scalar(
            "WITH before AS (
                 SELECT refused FROM group_members
                 WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND user_id = $4)
             UPDATE group_members gm SET refused = $6, done_mark = $5 FROM before
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id = $4
             RETURNING before.refused",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(row.user_id)
        .bind(row.mark)
        .bind(why)
        .fetch_optional(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(before.flatten().is_none()))
    }

    /// Those whom the target refused are tried once more.
    pub async fn retry_refused(&self, claim: &Claim) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE group_members SET mark = mark + 1
             WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND refused IS NOT NULL AND mark = done_mark",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The target has these accounts in the role or chat, whoever put them there. Whoever is to be in it is done; with
    /// `extra`, the others are to be looked at. `false` when the claim is lost.
    pub async fn members_found(&self, claim: &Claim, remote_ids: &[String], extra: bool) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let known =
            "UPDATE group_members gm SET applied = true, remote_id = l.remote_id, done_mark = gm.mark, refused = NULL
             FROM links l
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.wanted AND NOT gm.applied
               AND l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user' AND l.resource_id = gm.user_id
               AND l.remote_id = ANY($4)";
        let others =
            "INSERT INTO group_members AS gm (tenant_id, target_id, group_id, user_id, wanted, applied, remote_id)
             SELECT DISTINCT $1, $2, $3, COALESCE(l.resource_id, md5(found.remote_id)::uuid), false, true, found.remote_id
             FROM unnest($4::text[]) AS found (remote_id)
             LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user'
                              AND l.remote_id = found.remote_id
             ORDER BY 4
             ON CONFLICT (tenant_id, target_id, group_id, user_id) DO UPDATE
             SET applied = true, remote_id = excluded.remote_id, mark = gm.mark + 1 WHERE NOT gm.applied";
        for statement in [Some(known), extra.then_some(others)].into_iter().flatten() {
            sqlx::query(statement)
                .bind(claim.tenant.0)
                .bind(claim.target.0)
                .bind(claim.resource.0)
                .bind(remote_ids)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whether somebody belongs into the claim's role or chat.
    pub async fn is_wanted_member(&self, claim: &Claim, user: Uuid) -> Result<bool, StoreError> {
        let wanted = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM group_members
                            WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND user_id = $4 AND wanted)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(user)
        .fetch_one(self.pool())
        .await?;
        Ok(wanted)
    }

    /// How many the target has in the claim's role or chat.
    pub async fn applied_members(&self, claim: &Claim) -> Result<i64, StoreError> {
        let number = sqlx::query_scalar(
            "SELECT count(*) FROM group_members WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND applied",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_one(self.pool())
        .await?;
        Ok(number)
    }
}
