//! Simulations for people and machines, for as long as they like:
//!
//! ```text
//! cargo run --release -p rollcall-tests --bin simulate -- 1..3001
//! cargo run -p rollcall-tests --bin simulate -- 4711..4712 --shrink --trace
//! ```

mod engine;

use std::num::NonZero;
use std::thread::available_parallelism;

use clap::Parser;

use crate::engine::many::{self, AT_ONCE, Wanted};
use crate::engine::run::run;
use crate::engine::script::Script;
use crate::engine::stage::Stage;

/// Runs the projection under a scheduler that a seed drives, seed after seed.
#[derive(Parser, Debug)]
#[command(name = "simulate", max_term_width = 100)]
struct Options {
    /// Which seeds
    #[arg(default_value = "1..1001")]
    seeds: String,
    /// How many at once; as many as there are processors if it is not said
    #[arg(long)]
    at_once: Option<usize>,
    /// Make the script of a failing seed shorter before it is reported
    #[arg(long)]
    shrink: bool,
    /// Go on after a failure
    #[arg(long)]
    keep_going: bool,
    /// Print what happened, also of seeds that hold; one after the other
    #[arg(long)]
    trace: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let seeds = many::range(&options.seeds)?;
    if options.trace {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        return runtime.block_on(async {
            let mut stage = Stage::new().await?;
            for script in seeds.map(Script::of) {
                let outcome = run(&mut stage, &script).await?;
                println!("{}", engine::report(&script, &outcome));
            }
            Ok(())
        });
    }
    let Options { at_once, shrink: shorter, keep_going, .. } = options;
    let at_once = at_once.unwrap_or_else(|| available_parallelism().map_or(AT_ONCE, NonZero::get));
    let summary = many::run(&Wanted { seeds: seeds.clone(), at_once, shorter, until_first: !keep_going })?;
    summary.reports.iter().for_each(|report| println!("{report}"));
    println!("{seeds:?}: {summary}");
    // What is wrong has been said.
    std::process::exit(i32::from(!summary.reports.is_empty()));
}
