//! Which database this is, so that a restored or a copied one is noticed before anything is sent from it.
//!
//! What DingTalk has moved on since a backup was made, and a copy made for a test has the credentials of the real
//! organisation. So whoever opens such a database pauses all its targets, until a person says what is to be done.

use crate::{Store, StoreError};
use sqlx::{Executor as _, FromRow, PgConnection, Postgres};

/// What tells a database from others.
#[derive(FromRow, PartialEq, Eq, Debug)]
struct Instance {
    cluster: Option<String>,
    timeline: Option<String>,
    database: i64,
    tables: i64,
}

impl Instance {
    /// What is not as it was; `None` when it is the same database.
    fn moved_from(&self, before: &Self) -> Option<&'static str> {
        let differ = |now: &Option<String>, before: &Option<String>| now.is_some() && before.is_some() && now != before;
        if self.tables != before.tables {
            Some("its tables were made anew from a dump")
        } else if differ(&self.cluster, &before.cluster) {
            Some("it is in another cluster than before")
        } else if self.database != before.database {
            Some("it is another database of the cluster than before")
        } else if differ(&self.timeline, &before.timeline) {
            Some("Postgres went back to an earlier moment, or a standby took over")
        } else {
            None
        }
    }
}

/// PostgreSQL's manual, appendix A: `insufficient_privilege`, `undefined_function`, `feature_not_supported`.
const MAY_NOT_ASK: [&str; 3] = ["42501", "42883", "0A000"];

/// A database that is not the one that it was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// What is not as it was, in words.
    pub what: &'static str,
    /// How many targets are paused by that, of all tenants.
    pub paused: u64,
}

/// Nothing is known of what the targets have: all of it is read once they go on. What people have permitted before is not
/// permitted any more, and who was at work has lost their claim. `$1` is the present moment, `$2` why.
const BEGIN_AGAIN: [&str; 4] = [
    // Before the links, and in the order in which a write of several marks takes them: other servers may be at work.
    "WITH them AS MATERIALIZED (
         SELECT tenant_id, target_id, resource_kind, resource_id FROM deliveries
         WHERE $2::text IS NOT NULL ORDER BY resource_id FOR UPDATE)
     UPDATE deliveries d
     SET mark = d.mark + 1, state = 'pending', attempt = 0, waiting_for = NULL, permit = NULL, due_at = $1, updated_at = $1,
         dirty_since = COALESCE(d.dirty_since, $1), lease_epoch = d.lease_epoch + 1, lease_until = NULL
     FROM them WHERE d.tenant_id = them.tenant_id AND d.target_id = them.target_id
       AND d.resource_kind = them.resource_kind AND d.resource_id = them.resource_id",
    "UPDATE links SET observed = 'unknown', updated_at = $1 WHERE observed = 'known' AND $2::text IS NOT NULL",
    "UPDATE plan_changes SET state = 'moved', detail = $2, updated_at = $1 WHERE state = 'permitted'",
    "UPDATE plans SET state = CASE state WHEN 'applying' THEN 'partly_applied' ELSE state END,
            ended_at = CASE state WHEN 'applying' THEN $1 ELSE ended_at END, expires_at = LEAST(expires_at, $1)
     WHERE expires_at > $1 AND $2::text IS NOT NULL",
];

impl Store {
    /// Notes which database this is. If it was another when that was noted last, all targets of all tenants are paused, with
    /// the reason, in the same transaction. To be called before anything is sent.
    pub async fn note_instance(&self) -> Result<Option<Restored>, StoreError> {
        let now = Instance {
            cluster: self.asked("SELECT system_identifier::text FROM pg_control_system()").await?,
            timeline: self.asked("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)").await?,
            ..sqlx::query_as(
                "SELECT NULL::text AS cluster, NULL::text AS timeline, d.oid::bigint AS database,
                        'instance'::regclass::oid::bigint AS tables
                 FROM pg_database d WHERE d.datname = current_database()",
            )
            .fetch_one(self.pool())
            .await?
        };
        let mut tx = self.pool().begin().await?;
        tx.execute("SET LOCAL statement_timeout = 0").await?;
        tx.execute("LOCK TABLE instance IN EXCLUSIVE MODE").await?;
        let before: Option<Instance> =
            sqlx::query_as("SELECT cluster, timeline, database, tables FROM instance").fetch_optional(&mut *tx).await?;
        let what = before.and_then(|before| now.moved_from(&before));
        let restored = match what {
            None => None,
            Some(what) => Some(Restored { what, paused: self.begin_again(&mut tx, what).await? }),
        };
        sqlx::query(
            "INSERT INTO instance (cluster, timeline, database, tables, noted_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE
             SET cluster = COALESCE(excluded.cluster, instance.cluster),
                 timeline = COALESCE(excluded.timeline, instance.timeline),
                 database = excluded.database, tables = excluded.tables, noted_at = excluded.noted_at",
        )
        .bind(now.cluster)
        .bind(now.timeline)
        .bind(now.database)
        .bind(now.tables)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(restored)
    }

    /// What Postgres says of itself. Not every service that runs one lets its users ask, or has an answer.
    async fn asked(&self, question: &'static str) -> Result<Option<String>, StoreError> {
        match sqlx::query_scalar::<Postgres, String>(question).fetch_one(self.pool()).await {
            Ok(answer) => Ok(Some(answer)),
            Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| MAY_NOT_ASK.contains(&&*code)) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn begin_again(&self, tx: &mut PgConnection, what: &str) -> Result<u64, StoreError> {
        let reason = format!(
            "This database was restored or copied since Rollcall last opened it ({what}), so nothing is sent. Set the \
             target to rehearsal to see in a plan what would be changed, or to live to go on; what the target has is read \
             again first."
        );
        let paused = sqlx::query(
            "WITH paused AS (
                 UPDATE targets SET mode = 'paused', paused_reason = $2, stopped_until = NULL
                 WHERE mode <> 'paused' RETURNING tenant_id, id)
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT tenant_id, $1, '', 'target_paused', 'target', id, 0, jsonb_build_object('reason', $2::text)
             FROM paused",
        )
        .bind(self.now())
        .bind(&reason)
        .execute(&mut *tx)
        .await?;
        for statement in BEGIN_AGAIN {
            sqlx::query(statement).bind(self.now()).bind(&reason).execute(&mut *tx).await?;
        }
        Ok(paused.rows_affected())
    }
}
