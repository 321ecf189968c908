//! Who belongs into the role or chat of a group, and whom the target has in it: a row for each.
//!
//! A row is to be looked at while `mark > done_mark`. Looking means to weigh it: whether its person is a member, directly
//! or through groups within the group, and has an account. What must then be done to the target is where `wanted` and
//! `applied` differ; it is done in batches, each remembered when it is done, so that a crash costs at most one.

use super::claims::Claim;
use super::placements::fenced;
use crate::members::named_id;
use crate::{Store, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

/// Touches the rows of all who are members of the claim's group, unless they are as they should be, and those of all who
/// are none. `$4` says whether members of groups within it count.
const SPREAD: &str = concat!(
    "WITH RECURSIVE below (id) AS (
         SELECT $3::uuid
         UNION
         SELECT g.id FROM below
         JOIN memberships m ON m.tenant_id = $1 AND m.group_id = below.id
         JOIN groups g ON g.tenant_id = $1 AND g.deleted_at IS NULL AND g.id = ",
    named_id!("m.member_id"),
    "
         WHERE $4),
     members AS MATERIALIZED (
         SELECT DISTINCT u.id FROM below
         JOIN memberships m ON m.tenant_id = $1 AND m.group_id = below.id
         JOIN users u ON u.tenant_id = $1 AND u.deleted_at IS NULL AND u.id = ",
    named_id!("m.member_id"),
    "),
     others AS (
         UPDATE group_members gm SET mark = gm.mark + 1, offered = NULL
         WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id <> $3
           AND NOT EXISTS (SELECT 1 FROM members WHERE members.id = gm.user_id))
     INSERT INTO group_members AS gm (tenant_id, target_id, group_id, user_id)
     SELECT $1, $2, $3, members.id FROM members ORDER BY members.id
     ON CONFLICT (tenant_id, target_id, group_id, user_id) DO UPDATE SET mark = gm.mark + 1, offered = NULL
     WHERE NOT (gm.wanted AND gm.applied)"
);

/// Weighs the rows of the claim's group that are to be looked at. `$4` says whether members of groups within it count,
/// `$5` who belongs to it besides. Whoever is as they should be is done, and so is whoever waits for an account; says
/// whether somebody does.
const WEIGH: &str = "WITH RECURSIVE due AS MATERIALIZED (
         SELECT gm.user_id, gm.mark, gm.applied,
                EXISTS (SELECT 1 FROM memberships m WHERE m.tenant_id = $1 AND m.group_id = $3
                          AND m.member_id = gm.user_id::text) AS is_in
         FROM group_members gm
         WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.mark > gm.done_mark
           AND gm.user_id <> $3),
     up (user_id, group_id) AS (
         SELECT due.user_id, m.group_id FROM due
         JOIN memberships m ON m.tenant_id = $1 AND m.member_id = due.user_id::text
         WHERE $4 AND NOT due.is_in
         UNION
         SELECT up.user_id, m.group_id FROM up
         JOIN memberships m ON m.tenant_id = $1 AND m.member_id = up.group_id::text WHERE up.group_id <> $3),
     judged AS MATERIALIZED (
         SELECT due.user_id, due.mark, due.applied,
                u.id IS NOT NULL AND l.out_at IS NULL AND (due.is_in OR through.user_id IS NOT NULL OR due.user_id = $5)
                IS TRUE AS wanted,
                CASE WHEN l.observed = 'known' AND l.snapshot ->> 'account_kind' IS DISTINCT FROM 'contact'
                     THEN l.remote_id END AS account
         FROM due
         LEFT JOIN (SELECT DISTINCT user_id FROM up WHERE group_id = $3) through ON through.user_id = due.user_id
         LEFT JOIN users u ON u.tenant_id = $1 AND u.id = due.user_id AND u.deleted_at IS NULL
         LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user'
                          AND l.resource_id = due.user_id),
     strangers AS (
         DELETE FROM group_members gm USING judged j
         WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id = j.user_id
           AND gm.mark = j.mark AND NOT j.wanted AND NOT j.applied),
     weighed AS (
         UPDATE group_members gm
         SET wanted = j.wanted, remote_id = CASE WHEN j.applied THEN gm.remote_id ELSE j.account END,
             done_mark = CASE WHEN j.applied = j.wanted OR (j.wanted AND j.account IS NULL) THEN j.mark
                              ELSE gm.done_mark END,
             refused = CASE WHEN j.applied = j.wanted THEN NULL ELSE gm.refused END
         FROM judged j
         WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.user_id = j.user_id
           AND gm.mark = j.mark AND (j.wanted OR j.applied)
         RETURNING j.wanted AND NOT j.applied AND j.account IS NULL AS waits)
     SELECT EXISTS (SELECT 1 FROM weighed WHERE waits)";

impl Store {
    /// Looks at the members of the claim's group that are to be looked at; at all of them, if something says so. `nested`
    /// says whether members of groups within it count, `besides` who belongs to it although they are no member. `false`
    /// when the claim is lost.
    pub async fn weigh_members(&self, claim: &Claim, nested: bool, besides: Option<Uuid>) -> Result<bool, StoreError> {
        if !self.spread_members(claim, nested).await? {
            return Ok(false);
        }
        if let Some(besides) = besides {
            self.touch_member(claim, besides).await?;
        }
        loop {
            let mut tx = self.pool().begin().await?;
            if !fenced(&mut tx, claim).await? {
                tx.rollback().await?;
                return Ok(false);
            }
            if many_are_due(&mut tx, claim).await? {
                join_by_hash(&mut tx).await?;
            }
            let waits: bool = sqlx::query_scalar(WEIGH)
                .bind(claim.tenant.0)
                .bind(claim.target.0)
                .bind(claim.resource.0)
                .bind(nested)
                .bind(besides)
                .fetch_one(&mut *tx)
                .await?;
            tx.commit().await?;
            // Whoever got their account meanwhile has woken only those who waited already.
            if !waits || !self.second_look(claim).await? {
                return Ok(true);
            }
        }
    }

    /// Touches all members if something says that all are to be compared. `false` when the claim is lost.
    async fn spread_members(&self, claim: &Claim, nested: bool) -> Result<bool, StoreError> {
        let everybody: Option<i64> = sqlx::query_scalar(
            "SELECT mark FROM group_members WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND user_id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_optional(self.pool())
        .await?;
        let Some(everybody) = everybody else { return Ok(true) };
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        join_by_hash(&mut tx).await?;
        sqlx::query(SPREAD)
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(claim.resource.0)
            .bind(nested)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM group_members
             WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND user_id = $3 AND mark = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(everybody)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Somebody is to be looked at, whether they are a member or not.
    pub async fn touch_member(&self, claim: &Claim, user: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO group_members AS gm (tenant_id, target_id, group_id, user_id) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, target_id, group_id, user_id) DO UPDATE SET mark = gm.mark + 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(user)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Touches those who wait for an account and have one by now. Says whether there are any.
    async fn second_look(&self, claim: &Claim) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE group_members gm SET mark = gm.mark + 1
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 AND gm.wanted AND NOT gm.applied
               AND gm.mark = gm.done_mark AND gm.refused IS NULL
               AND EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2
                             AND l.resource_kind = 'user' AND l.resource_id = gm.user_id AND l.observed = 'known'
                             AND l.snapshot ->> 'account_kind' IS DISTINCT FROM 'contact')",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// The role or chat is not there (any more), so nobody is in it: all members are to be compared. `false` when the claim
    /// is lost.
    pub async fn members_lost(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(
            "WITH lost AS (
                 UPDATE group_members SET applied = false, offered = NULL, refused = NULL, mark = mark + 1
                 WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND applied)
             INSERT INTO group_members AS gm (tenant_id, target_id, group_id, user_id) VALUES ($1, $2, $3, $3)
             ON CONFLICT (tenant_id, target_id, group_id, user_id) DO UPDATE SET mark = gm.mark + 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The role or chat is to go: nobody is to be in it any more. `false` when the claim is lost.
    pub async fn let_all_go(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(
            "UPDATE group_members SET wanted = false, mark = GREATEST(mark, done_mark + 1)
             WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND user_id <> $3 AND applied",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The group is in no role and no chat: who is in it is of no interest, unless the group changed meanwhile. `false` when
    /// the claim is lost.
    pub async fn forget_members(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(
            "DELETE FROM group_members
             WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3
               AND EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant_id = $1 AND d.target_id = $2
                             AND d.resource_kind = 'group' AND d.resource_id = $3 AND d.mark = $4)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(claim.mark)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// How many rows the planner may take for a handful without harm.
const MANY: i64 = 500;

/// Whether more rows of the claim's group are to be looked at than fit nested loops.
async fn many_are_due(tx: &mut PgConnection, claim: &Claim) -> Result<bool, StoreError> {
    let number: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 FROM group_members
                               WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 AND mark > done_mark LIMIT $4) due",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.resource.0)
    .bind(MANY)
    .fetch_one(tx)
    .await?;
    Ok(number == MANY)
}

/// For statements about all members of a group, which may take as long as they need. Of a table that was empty a moment ago
/// the planner believes that it has one fitting row, and would read all members once for each of them.
pub(super) async fn join_by_hash(tx: &mut PgConnection) -> Result<(), StoreError> {
    for setting in ["SET LOCAL statement_timeout = 0", "SET LOCAL enable_nestloop = off"] {
        sqlx::query(setting).execute(&mut *tx).await?;
    }
    Ok(())
}
