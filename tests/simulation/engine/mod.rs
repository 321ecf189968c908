//! The projection as a whole, run by a scheduler that a seed drives: one thing happens at a time, under one clock.
//!
//! The product is the real one: its store on a real Postgres, its reconciler, its DingTalk connector over HTTP. What it
//! cannot do by itself is to go on: before each statement, call and wait it stands at a gate, and the seed says who goes
//! next, who dies there and whose answer is lost.
//!
//! Judged while it goes on: nothing that is not ours is touched, no userid is used twice, nothing is sent in rehearsal,
//! by a plan that nobody applied or by other rules than those that an account is under, applied versions never go back,
//! guards and the rate budget hold. Judged at its end (`oracle`, which knows no planner): DingTalk is as the directory and
//! the mapping say, or somebody is told why not; contacts are of somebody, and nobody who left can sign in or still is
//! signed in; an account that somebody has said to be another's is left as it is; what was undone stays so until somebody
//! wants something else, and is by the rules again once it is lifted; nothing that was acknowledged is lost; a second look
//! finds nothing to do.

pub(crate) mod check;
pub(crate) mod contacts;
pub(crate) mod directory;
pub(crate) mod enterprise;
pub(crate) mod facts;
pub(crate) mod gate;
pub(crate) mod gateway;
pub(crate) mod hand;
pub(crate) mod linking;
pub(crate) mod many;
pub(crate) mod oracle;
pub(crate) mod perform;
pub(crate) mod ports;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod script;
pub(crate) mod shrink;
pub(crate) mod stage;
pub(crate) mod undoing;
pub(crate) mod watch;
pub(crate) mod worker;

use self::run::Outcome;
use self::script::Script;
use self::stage::Stage;

/// Everything that a person needs to know of a run that failed.
pub(crate) fn report(script: &Script, outcome: &Outcome) -> String {
    let wrongs = outcome.wrongs.join("\n  ");
    format!("{script}--- what happened\n{}--- violated by seed {}\n  {wrongs}\n", outcome.trace, script.seed)
}

/// Runs a seed. A failing one is made shorter first, if that is wanted, and reported.
pub(crate) async fn seed(stage: &mut Stage, seed: u64, shorter: bool) -> anyhow::Result<Result<Outcome, String>> {
    let script = Script::of(seed);
    let outcome = run::run(stage, &script).await?;
    if outcome.wrongs.is_empty() {
        return Ok(Ok(outcome));
    }
    if shorter {
        let (script, outcome) = shrink::shrink(stage, &script).await?;
        return Ok(Err(report(&script, &outcome)));
    }
    Ok(Err(report(&script, &outcome)))
}
