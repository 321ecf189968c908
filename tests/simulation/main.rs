//! The projection under a scheduler that a seed drives: whatever happens, DingTalk ends as the directory says, or
//! somebody is told why not.

mod engine;

use crate::engine::run::run;
use crate::engine::script::Script;
use crate::engine::stage::Stage;

/// The first seed of every run of the tests, and how many each of the tests takes.
const FIRST: u64 = 1;
const SEEDS: u64 = 60;
/// Seeds that are run twice.
const TWICE: u64 = 6;

#[tokio::test]
async fn whatever_happens_dingtalk_is_as_the_directory_says() -> anyhow::Result<()> {
    let mut stage = Stage::new().await?;
    for seed in FIRST..FIRST + SEEDS {
        if let Err(report) = engine::seed(&mut stage, seed, false).await? {
            panic!("{report}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_same_seed_is_the_same_run() -> anyhow::Result<()> {
    let mut stage = Stage::new().await?;
    for seed in FIRST..FIRST + TWICE {
        let script = Script::of(seed);
        let (one, other) = (run(&mut stage, &script).await?, run(&mut stage, &script).await?);
        assert_eq!(one.trace, other.trace, "{script}");
    }
    Ok(())
}
