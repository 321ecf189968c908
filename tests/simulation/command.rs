//! Simulations for people, for as long as they like:
//!
//! ```text
//! cargo run -p rollcall-tests --bin simulate -- --seeds 10000 --from 1 [--shrink]
//! ```

mod engine;

use std::time::Instant;

use clap::Parser;

use crate::engine::stage::Stage;

/// Runs the projection under a scheduler that a seed drives, seed after seed.
#[derive(Parser, Debug)]
#[command(name = "simulate", max_term_width = 100)]
struct Options {
    /// How many seeds
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Make the script of a failing seed shorter before it is reported
    #[arg(long)]
    shrink: bool,
    /// Go on after a failure
    #[arg(long)]
    keep_going: bool,
    /// Print what happened, also of seeds that hold
    #[arg(long)]
    trace: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut stage = Stage::new().await?;
    let (began, mut failed, mut gates, mut calls) = (Instant::now(), Vec::new(), 0, 0);
    for seed in options.from..options.from + options.seeds {
        match engine::seed(&mut stage, seed, options.shrink).await? {
            Ok(outcome) => {
                gates += outcome.gates;
                calls += outcome.calls;
                if options.trace {
                    println!("{}", outcome.trace);
                }
            }
            Err(report) => {
                println!("{report}");
                failed.push(seed);
                if !options.keep_going {
                    break;
                }
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{} seeds from {}, {gates} gates, {calls} calls, {seconds:.1} s; failed: {failed:?}", options.seeds, options.from);
    anyhow::ensure!(failed.is_empty(), "{} seeds failed", failed.len());
    Ok(())
}
