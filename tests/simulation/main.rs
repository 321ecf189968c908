//! The projection under a scheduler that a seed drives: whatever happens, DingTalk ends as the directory says, or
//! somebody is told why not.

mod engine;

use std::time::{Duration, SystemTime};

use crate::engine::many::{self, AT_ONCE, Wanted};
use crate::engine::run::{Outcome, run};
use crate::engine::script::Script;
use crate::engine::stage::Stage;

/// Seeds of every run of the tests.
const ALWAYS: std::ops::Range<u64> = 1..41;
/// How many other ones each day brings.
const EACH_DAY: u64 = 20;
const DAY: Duration = Duration::from_hours(24);
/// Seeds that are run twice.
const TWICE: std::ops::Range<u64> = 1..7;

fn hold(seeds: std::ops::Range<u64>) -> anyhow::Result<()> {
    let wanted = Wanted { seeds: seeds.clone(), at_once: AT_ONCE, shorter: false, until_first: true };
    let summary = many::run(&wanted)?;
    println!("{seeds:?}: {summary}");
    assert!(summary.reports.is_empty(), "{}", summary.reports.join("\n"));
    Ok(())
}

#[test]
fn whatever_happens_dingtalk_is_as_the_directory_says() -> anyhow::Result<()> {
    hold(ALWAYS)
}

/// Those of `SEEDS=from..to`, or of the day.
#[test]
fn other_seeds_hold_too() -> anyhow::Result<()> {
    let seeds = match std::env::var("SEEDS") {
        Ok(seeds) => many::range(&seeds)?,
        Err(_) => {
            let day = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() / DAY.as_secs();
            day * EACH_DAY..(day + 1) * EACH_DAY
        }
    };
    hold(seeds)
}

#[test]
fn a_failing_seed_prints_its_script() {
    let script = Script::of(7);
    let outcome = Outcome { trace: "it went\n".to_owned(), wrongs: vec!["it is wrong".to_owned()], gates: 0, calls: 0 };
    let report = engine::report(&script, &outcome);
    for said in ["seed 7, ", "it went", "violated by seed 7", "it is wrong"] {
        assert!(report.contains(said), "{report}");
    }
    let told = script.steps.iter().filter(|step| report.contains(&format!("{:?}", step.action)));
    assert_eq!(told.count(), script.steps.len());
}

#[tokio::test]
async fn the_same_seed_is_the_same_run() -> anyhow::Result<()> {
    let (mut stage, mut other) = (Stage::new().await?, Stage::new().await?);
    for seed in TWICE {
        let script = Script::of(seed);
        assert_eq!(script.to_string(), Script::of(seed).to_string());
        run(&mut other, &Script::of(seed + 1_000)).await?;
        let (one, other) = (run(&mut stage, &script).await?, run(&mut other, &script).await?);
        assert_eq!(one.trace, other.trace, "{script}");
        assert_eq!(one.wrongs, other.wrongs, "{script}");
    }
    Ok(())
}
