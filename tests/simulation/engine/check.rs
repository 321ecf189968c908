//! How a run ends: everything is mended, and what DingTalk has is compared with what the directory says.

use anyhow::ensure;
use axum::http::Method;
use rollcall_store::users::UserView;
use serde_json::Value;

use super::facts::Facts;
use super::hand;
use super::oracle;
use super::rules::Leavers;
use super::run::Run;
use super::stage::{CALLS_A_SECOND, ask};

/// Rounds of plans that release all that is held.
const MOST_PLANS: usize = 6;
const DAY: i64 = 24 * 3_600_000;

/// Ends a run; what is wrong is kept in its watch.
pub(crate) async fn ending(run: &mut Run<'_>) -> anyhow::Result<()> {
    run.thaw();
    run.heal().await?;
    run.advance(60_000).await?;
    if run.stage.mode(run.directory.tenant).await? == "paused" {
        run.mode_is("live").await?;
    }
    invitations_are_answered(run).await?;
    let rehearses = run.stage.mode(run.directory.tenant).await? == "rehearsal";
    if !run.drifted {
        judge(run, "at rest", true).await?;
    }
    if rehearses {
        run.mode_is("live").await?;
        run.changed().await?;
        invitations_are_answered(run).await?;
    }
    if run.drifted {
        // As a scan of drift will do.
        read_everything(run).await?;
        invitations_are_answered(run).await?;
    }
    judge(run, "live", true).await?;
    release_everything(run).await?;
    judge(run, "released", false).await?;
    if let Leavers::GoAfter(days) = run.rules.leavers {
        run.advance((i64::from(days) + 1) * DAY).await?;
        run.changed().await?;
        run.rest().await?;
        release_everything(run).await?;
        judge(run, "later", false).await?;
    }
    nothing_acknowledged_is_lost(run).await?;
    let before = run.watch.calls.len();
    read_everything(run).await?;
    judge(run, "read again", false).await?;
    let more: Vec<String> = run
        .watch
        .calls
        .iter()
        .skip(before)
        .filter(|call| call.writes() && call.errcode == Some(0))
        .map(ToString::to_string)
        .collect();
    if !more.is_empty() && run.watch.wrongs.is_empty() {
        run.watch.wrongs.push(format!("what was in step is written again: {}", more.join("; ")));
    }
    if run.lift_everything().await? {
        run.changed().await?;
        invitations_are_answered(run).await?;
        release_everything(run).await?;
        judge(run, "lifted", false).await?;
    }
    run.judge_promises().await?;
    rates(run).await?;
    run.watch.judge_guards();
    let noted: Vec<String> =
        sqlx::query_scalar("SELECT what FROM sim.wrongs ORDER BY 1").fetch_all(&mut run.stage.admin).await?;
    run.watch.wrongs.extend(noted);
    Ok(())
}

async fn judge(run: &mut Run<'_>, when: &str, held: bool) -> anyhow::Result<()> {
    run.note(&format!("judged: {when}"));
    let facts = Facts::read(run).await?;
    run.watch.wrongs.extend(oracle::judge(&facts, held).into_iter().map(|wrong| format!("{when}: {wrong}")));
    Ok(())
}

/// Everybody who was invited answers, until nobody is asked any more.
async fn invitations_are_answered(run: &mut Run<'_>) -> anyhow::Result<()> {
    for _ in 0..4 {
        run.rest().await?;
        let accept = run.random.chance(70);
        let mut answered = false;
        while hand::answer(&run.simulator, accept, 0).await? {
            answered = true;
        }
        if !answered {
            return Ok(());
        }
        run.changed().await?;
    }
    run.rest().await
}

/// Nothing is taken for known any more.
async fn read_everything(run: &mut Run<'_>) -> anyhow::Result<()> {
    sqlx::raw_sql(
        "UPDATE links SET observed = 'unknown' WHERE observed = 'known';
         UPDATE deliveries SET mark = mark + 1, state = 'pending', attempt = 0, waiting_for = NULL,
                due_at = to_timestamp((SELECT last_value FROM sim.clock_ms) / 1000.0)",
    )
    .execute(&mut run.stage.admin)
    .await?;
    run.drifted = false;
    run.changed().await?;
    run.rest().await
}

/// All that guards hold is released by two people.
async fn release_everything(run: &mut Run<'_>) -> anyhow::Result<()> {
    for _ in 0..MOST_PLANS {
        let held: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM deliveries WHERE state = 'held')")
            .fetch_one(&mut run.stage.admin)
            .await?;
        if !held {
            return Ok(());
        }
        let plan = run.make_plan().await?;
        run.release_and_apply(plan).await?;
        run.changed().await?;
        run.rest().await?;
    }
    Ok(())
}

/// What the client was told is written is in the directory.
async fn nothing_acknowledged_is_lost(run: &mut Run<'_>) -> anyhow::Result<()> {
    for person in &run.directory.people {
        let stored = run.stage.store.user(run.directory.tenant, person.id, UserView::default()).await?;
        let Some(stored) = stored else {
            if !person.deleted {
                run.watch.wrongs.push(format!("{} is not in the directory", person.name));
            }
            continue;
        };
        let lost = |name: &str, value: &Value| {
            // The store keeps it in a column, and `active` is what it means.
            stored.resource.as_map().get(name) != Some(value)
        };
        if person.deleted || person.resource().iter().any(|(name, value)| lost(name, value)) {
            run.watch.wrongs.push(format!("a write to {} is lost: {:?}", person.name, stored.resource));
        }
    }
    Ok(())
}

async fn rates(run: &mut Run<'_>) -> anyhow::Result<()> {
    let stats = ask(&run.simulator, Method::GET, "stats", None).await?;
    let apis = stats.get("apis").and_then(Value::as_object);
    ensure!(apis.is_some(), "the simulator counts calls");
    for (api, sums) in apis.into_iter().flatten() {
        let highest = sums.get("highest_per_second").and_then(Value::as_u64).unwrap_or(u64::MAX);
        // A process that is suspended between its place in the budget and its call cannot know how late it is.
        if highest > u64::try_from(CALLS_A_SECOND + run.belated)? {
            run.watch.wrongs.push(format!("{highest} calls in a second: {api}"));
        }
    }
    Ok(())
}
