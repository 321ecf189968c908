//! What the benchmark is told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures the server against the same statements sent by pgbench, on the same Postgres.
#[derive(Parser, Debug, Clone)]
#[command(name = "bench", max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    /// Something else instead
    #[command(subcommand)]
    pub(crate) instead: Option<Instead>,
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

/// What can be done instead.
#[derive(Subcommand, Debug, Clone)]
pub(crate) enum Instead {
    /// Sends the same requests to a small and a large directory in turn, and compares what they take
    Scale(Scale),
    /// Looks at everybody after something changed for all of them, and plans what is to be done
    Planning(Planning),
    /// Projects everybody onto a new organisation, and counts what it takes
    Economy(Economy),
}

/// How the first projection is measured.
#[derive(Args, Debug, Clone)]
pub(crate) struct Economy {
    /// People in the directory; DingTalk lets 20 of them be created in a second
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    pub(crate) people: u32,
    /// Departments that they are in
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub(crate) departments: u32,
    /// Milliseconds that each answer of the simulator takes
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=5_000))]
    pub(crate) latency: u32,
    /// The most people in the role
    #[arg(long, default_value_t = 2_000)]
    pub(crate) members: usize,
    /// Changes in a second at the end
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) per_second: u32,
    /// Seconds that they go on for
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub(crate) seconds: u32,
    /// A `rollcall` to measure instead of the one that belongs to this benchmark
    #[arg(long, value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,
}

/// How planning is measured.
#[derive(Args, Debug, Clone)]
pub(crate) struct Planning {
    /// People in the directory
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    pub(crate) people: u32,
    /// Departments that they are in
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub(crate) departments: u32,
    /// A `rollcall` to measure instead of the one that belongs to this benchmark
    #[arg(long, value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,
}

/// How directories of different size are compared.
#[derive(Args, Debug, Clone)]
pub(crate) struct Scale {
    /// People in each directory, the smallest first; a twentieth as many groups, one group of a tenth of them (at most
    /// 100,000), and one person in 1,000 groups
    #[arg(long, default_values_t = [10_000, 1_000_000], value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(10_000..=5_000_000))]
    pub(crate) people: Vec<u32>,
    /// Times that the directories take turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// Requests of each kind in a round; pages and bodies of 500 members count twentyfold
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=300))]
    pub(crate) requests: u32,
    /// A `rollcall` to measure instead of the one that belongs to this benchmark
    #[arg(long, value_name = "FILE")]
    pub(crate) server: Option<PathBuf>,
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
