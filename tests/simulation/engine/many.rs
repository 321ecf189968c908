//! Many seeds, some at a time.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::stage::Stage;

/// How many seeds are run at once: each keeps one processor busy, and Postgres half of one.
pub(crate) const AT_ONCE: usize = 2;

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) seeds: Range<u64>,
    pub(crate) at_once: usize,
    /// The script of a failing seed is made shorter before it is reported.
    pub(crate) shorter: bool,
    /// A failure ends it.
    pub(crate) until_first: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    seeds: u64,
    gates: usize,
    calls: usize,
    took: Duration,
    /// A report of each seed that failed.
    pub(crate) reports: Vec<String>,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seeds, gates, calls, took, reports } = self;
        write!(
            f,
            "{seeds} seeds, {gates} gates, {calls} calls in {:.1} s; {} failed",
            took.as_secs_f64(),
            reports.len()
        )
    }
}

/// Reads `from..to`.
pub(crate) fn range(text: &str) -> anyhow::Result<Range<u64>> {
    let parse = |part: &str| part.trim().parse::<u64>();
    let (from, to) = text.split_once("..").with_context(|| format!("{text:?} is not from..to"))?;
    Ok(parse(from)?..parse(to)?)
}

/// Runs them.
pub(crate) fn run(wanted: &Wanted) -> anyhow::Result<Summary> {
    let (began, next) = (Instant::now(), AtomicU64::new(wanted.seeds.start));
    let (seeds, gates, calls) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let reports = Mutex::new(Vec::new());
    let take_turns = || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut stage = Stage::new().await?;
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let failed = !reports.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
                if seed >= wanted.seeds.end || (failed && wanted.until_first) {
                    return Ok(());
                }
                match super::seed(&mut stage, seed, wanted.shorter).await? {
                    Ok(outcome) => {
                        gates.fetch_add(outcome.gates, Ordering::Relaxed);
                        calls.fetch_add(outcome.calls, Ordering::Relaxed);
                    }
                    Err(report) => reports.lock().unwrap_or_else(PoisonError::into_inner).push(report),
                }
                seeds.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..wanted.at_once).map(|_| scope.spawn(take_turns)).collect();
        let ended =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked")));
        ended.collect::<anyhow::Result<()>>()
    })?;
    Ok(Summary {
        seeds: seeds.into_inner(),
        gates: gates.into_inner(),
        calls: calls.into_inner(),
        took: began.elapsed(),
        reports: reports.into_inner().unwrap_or_else(PoisonError::into_inner),
    })
}
