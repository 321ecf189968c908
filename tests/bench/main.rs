//! How fast the server is, beside the fastest that the same Postgres can be: a command for people, never a test.
//!
//! ```text
//! cargo run --release -p rollcall-tests --bin bench -- [--people 10000] [--seconds 10] [--connections 16]
//! cargo run --release -p rollcall-tests --bin bench -- scale [--people 10000,1000000]
//! cargo run --release -p rollcall-tests --bin bench -- planning [--people 100000] [--departments 500]
//! cargo run --release -p rollcall-tests --bin bench -- economy [--people 20000] [--departments 500] [--latency 50]
//! ```
//!
//! The server and pgbench take turns on the same tables of the same Postgres, sending the same statements, so that
//! whatever the machine does at the moment it does to both. `docs/benchmarks.md` says what is measured and what is
//! not.

mod capture;
mod ceiling;
mod cluster;
mod economy;
mod figures;
mod load;
mod operation;
mod options;
mod planning;
mod product;
mod projection;
mod rounds;
mod scale;
mod usage;

use anyhow::Context;
use clap::Parser;

use crate::capture::capture;
use crate::ceiling::{Ceiling, Length};
use crate::cluster::{Cluster, DATABASE, StatementLog};
use crate::figures::Table;
use crate::load::Choice;
use crate::operation::{FIRST, Operation};
use crate::options::{Instead, Options, Part};
use crate::product::Product;
use crate::rounds::Bench;
use crate::usage::Memory;

/// Memory that the server should stay below, in MiB.
const MEMORY_GOAL: f64 = 100.0;

/// Connections that fill the directory.
const FILLERS: u16 = 16;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if cfg!(debug_assertions) {
        println!("This is a debug build: its figures mean nothing. Run it with --release.\n");
    }
    let server = match &options.instead {
        Some(Instead::Scale(scale)) => &scale.server,
        Some(Instead::Planning(planning)) => &planning.server,
        Some(Instead::Economy(economy)) => &economy.server,
        None => &options.server,
    };
    let binary = match server {
        Some(binary) => binary.canonicalize().with_context(|| format!("finding {}", binary.display()))?,
        None => product::build().await?,
    };
    let cluster = Cluster::start().await?;
    let done = tokio::select! {
        done = run(&options, &binary, &cluster) => done,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    cluster.stop().await?;
    done
}

async fn run(options: &Options, binary: &std::path::Path, cluster: &Cluster) -> anyhow::Result<()> {
    let processors = std::thread::available_parallelism()?;
    println!("PostgreSQL {} with every commit on disk, {processors} processors", cluster.major());
    match &options.instead {
        Some(Instead::Scale(scale)) => return scale::measure(scale, binary, cluster).await,
        Some(Instead::Planning(planning)) => return planning::measure(planning, binary, cluster).await,
        Some(Instead::Economy(economy)) => return economy::measure(economy, binary, cluster).await,
        None => {}
    }
    if Operation::ALL.iter().any(|operation| options.wants(operation.part())) {
        requests(options, binary, cluster).await?;
    }
    if options.wants(Part::Projection) {
        let measured = projection::measure(cluster, binary, options.seconds).await?;
        println!(
            "From the answer to a change until DingTalk has it, {} changes, 10 in a second: p50 {:.0} ms, p99 {:.0} ms, \
             longest {:.0} ms (clocks ±{:.1} ms)",
            measured.changes, measured.p50, measured.p99, measured.longest, measured.uncertainty
        );
        println!("Memory of that server: {}", memory_text(measured.memory));
    }
    Ok(())
}

/// Requests beside pgbench.
async fn requests(options: &Options, binary: &std::path::Path, cluster: &Cluster) -> anyhow::Result<()> {
    let product = Product::new(binary, cluster.url(DATABASE), cluster.folder().join("product"))?;
    // Nothing is sent to a paused target, but every change is marked for it.
    let tenant = product.set_up("http://127.0.0.1:9", "paused").await?;

    let mut log = StatementLog::start(cluster).await?;
    // Without the reconciler, whose statements have nothing to do with the requests.
    let server = product.serve("api").await?;
    let captured = capture(&tenant.api(&server), &mut log).await?;
    server.stop().await?;
    log.stop(cluster).await?;

    let mut ceilings = Vec::new();
    for (operation, statements) in &captured {
        let ceiling = Ceiling::new(cluster, *operation, statements).await?;
        if options.statements {
            println!("\n-- {}\n{}", operation.name(), ceiling.script);
        }
        ceilings.push((*operation, ceiling));
    }
    let ceiling = |wanted: Operation| {
        let found = ceilings.iter().find(|(operation, _)| *operation == wanted);
        found.map(|(_, ceiling)| ceiling).context("an operation was not captured")
    };

    let each = options.people.div_ceil(u32::from(FILLERS));
    ceiling(Operation::Create)?.run(FILLERS, Choice::Next(FIRST), Length::Each(each)).await?;
    cluster.execute(&["VACUUM ANALYZE", "CHECKPOINT"]).await?;
    let people = u64::from(each) * u64::from(FILLERS);

    let server = product.serve(&options.role).await?;
    let start = usage::memory(server.pid()?)?;
    let mut bench = Bench { options, cluster, api: tenant.api(&server), server: &server, people, used: 0 };
    let mut memory = Table::new(&["memory of the server", "resident MiB", "peak MiB", "goal"]);
    let mut note = |when: &str, Memory { resident, peak }: Memory| {
        memory.row([when.to_owned(), format!("{resident:.1}"), format!("{peak:.1}"), format!("< {MEMORY_GOAL}")]);
    };
    note("after the start", start);
    println!("{people} people, {} rounds, role {}\n", options.rounds, options.role);
    for connections in &options.connections {
        let (mut rates, mut costs) = (rounds::rate_table(), rounds::cost_table());
        for operation in Operation::ALL.into_iter().filter(|operation| options.wants(operation.part())) {
            let compared = bench.compare(operation, ceiling(operation)?, *connections).await?;
            rates.row(compared.rate_row());
            costs.row(compared.cost_row());
        }
        println!("{connections} connections\n{rates}\nProcessor time, µs for one request\n{costs}");
        note(&format!("after the load of {connections} connections"), usage::memory(server.pid()?)?);
    }
    println!("{memory}");
    server.stop().await
}

fn memory_text(Memory { resident, peak }: Memory) -> String {
    format!("{resident:.1} MiB resident, {peak:.1} MiB at its peak")
}
