//! Making a failing script shorter: whatever can be left out while it still fails is left out.

use super::run::{Outcome, run};
use super::script::Script;
use super::stage::Stage;

/// The shortest script found that still fails, and what came of it.
pub(crate) async fn shrink(stage: &mut Stage, script: &Script) -> anyhow::Result<(Script, Outcome)> {
    let mut best = (script.clone(), run(stage, script).await?);
    let mut size = script.steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < best.0.steps.len() {
            let mut shorter = best.0.clone();
            shorter.steps.drain(at..(at + size).min(best.0.steps.len()));
            let outcome = run(stage, &shorter).await?;
            if outcome.wrongs.is_empty() {
                at += size;
            } else {
                best = (shorter, outcome);
            }
        }
        size /= 2;
    }
    while best.0.workers > 1 {
        let fewer = Script { workers: best.0.workers - 1, ..best.0.clone() };
        let outcome = run(stage, &fewer).await?;
        if outcome.wrongs.is_empty() {
            break;
        }
        best = (fewer, outcome);
    }
    Ok(best)
}
