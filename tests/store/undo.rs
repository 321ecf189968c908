//! An undo of many is written a page at a time, and applied in a few statements.

use anyhow::Context;
use rollcall_dingtalk::DingTalkSchema;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::TargetId;
use rollcall_store::projection::{Applied, NewUndo, UndoScope, Wave};
use serde_json::json;
use time::Duration;

use crate::fixture::{Fixture, START};

/// People who were clerks and became heads: more than two pages, fewer than three.
const PEOPLE: i32 = 1_201;

/// What is in the tables when that many people have an account of which the title was changed once.
const HISTORY: [&str; 4] = [
    "INSERT INTO users (tenant_id, id, source_id, user_name_key, active, email_keys, attributes, version, created_at, modified_at)
     SELECT $1, md5(n::text)::uuid, $2, 'p' || n, true, '{}', jsonb_build_object('userName', 'p' || n, 'title', 'Head'), 2, $4, $4
     FROM generate_series(1, $5) AS n WHERE $3::uuid IS NOT NULL",
    "INSERT INTO links (tenant_id, target_id, resource_kind, resource_id, remote_id, observed, snapshot, updated_at)
     SELECT $1, $3, 'user', id, 'u' || user_name_key, 'known', '{\"name\": \"P\", \"title\": \"Head\"}', $4
     FROM users WHERE tenant_id = $1 AND $2::uuid IS NOT NULL AND $5 > 0",
    "INSERT INTO deliveries (tenant_id, target_id, resource_kind, resource_id, mark, done_mark, lane, state, updated_at)
     SELECT $1, $3, 'user', id, 1, 1, 2, 'in_step', $4
     FROM users WHERE tenant_id = $1 AND $2::uuid IS NOT NULL AND $5 > 0",
    "INSERT INTO attempts (tenant_id, target_id, at, resource_kind, resource_id, mark, worker, action, attributes, outcome,
                           duration_ms, before, after)
     SELECT $1, $3, $4, 'user', id, 1, 'w', 'update account', '{title}', 'accepted', 1, '{\"title\": \"Clerk\"}',
            '{\"title\": \"Head\"}'
     FROM users WHERE tenant_id = $1 AND $2::uuid IS NOT NULL AND $5 > 0",
];

/// Counts the statements that write changes of plans.
const COUNTER: [&str; 3] = [
    "CREATE TABLE written (verb text)",
    "CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN INSERT INTO written VALUES (TG_OP); RETURN NULL; END $$",
    "CREATE TRIGGER counted AFTER INSERT ON plan_changes FOR EACH STATEMENT EXECUTE FUNCTION count_statement()",
];

#[tokio::test]
async fn an_undo_of_many_is_written_page_by_page() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let target = f.target("dingtalk").await?;
    for step in HISTORY {
        let filled = sqlx::query(step).bind(f.tenant.0).bind(f.source.0).bind(target).bind(START).bind(PEOPLE);
        filled.execute(f.database.pool()).await?;
    }
    for step in COUNTER {
        sqlx::query(step).execute(f.database.pool()).await?;
    }
    let scope = UndoScope { from: Some(START - Duration::HOUR), ..UndoScope::default() };
    let everything = json!({ "fields.changed": { "floor": 1_000_000, "share": 1 } });
    let new = NewUndo {
        target: TargetId(target),
        scope: &scope,
        guards: &Guards::parse(&everything)?,
        by: "ann",
        reason: "Too loud.",
        review_on: None,
        schema: &DingTalkSchema,
        root: "1",
    };
    let plan = f.store.make_undo(f.tenant, &new).await?.expect("something was done");
    let statements: i64 = sqlx::query_scalar("SELECT count(*) FROM written").fetch_one(f.database.pool()).await?;
    assert_eq!(statements, 3, "one for each page");
    let made = f.store.plan(f.tenant, plan).await?.context("no plan")?;
    assert_eq!((made.state.as_str(), made.states), ("ready", json!({ "planned": PEOPLE })));
    let applied = f.store.apply_plan(f.tenant, plan, &Wave::All, "ann").await?;
    assert_eq!(applied, Applied { permitted: i64::from(PEOPLE), withheld: 0 });
    let held: i64 =
        sqlx::query_scalar("SELECT count(*) FROM overrides WHERE against = '\"Head\"' AND value = '\"Clerk\"'")
            .fetch_one(f.database.pool())
            .await?;
    assert_eq!(held, i64::from(PEOPLE));
    Ok(())
}
