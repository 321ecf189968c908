//! What the benchmark is told.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures the server against the same statements sent by pgbench, on the same Postgres.
#[derive(Parser, Debug, Clone)]
#[command(name = "bench", max_term_width = 100)]
pub(crate) struct Options {
    /// People in the directory before anything is measured
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=5_000_000))]
    pub(crate) people: u32,
    /// Seconds that each operation is measured for on each side, over all rounds; also the length of the last part
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
    /// Connections that send requests all the time; several numbers, separated by commas, are measured in turn
    #[arg(long, default_values_t = [16], value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=200))]
    pub(crate) connections: Vec<u16>,
    /// Times that the two sides take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Only these operations
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Part>,
    /// Parts that the measured server runs: `all`, as it does by itself, or `api`, without the reconciler
    #[arg(long, default_value = "all", value_parser = ["all", "api"])]
    pub(crate) role: String,
    /// A `rollcall` to measure instead of the one that belongs to this benchmark
    #[arg(long, value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,
    /// Print the statements that each operation sends, as pgbench sends them
    #[arg(long)]
    pub(crate) statements: bool,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Part {
    /// `GET /Users/{id}`
    Get,
    /// `GET /Users?filter=userName eq "…"`
    Filter,
    /// `PATCH /Users/{id}` of the title
    Patch,
    /// `POST /Users`
    Create,
    /// From the answer to a change until DingTalk has it
    Projection,
}

impl Options {
    /// Whether a part is wanted.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
