//! Support for whole-program tests: a database of one's own, the real server, its command line, the DingTalk
//! simulator and a SCIM client.
//!
//! Everything returns `anyhow::Result`, so that a test reads as a story of `?`. Whatever a process printed is printed
//! again when it is dropped; the test runner shows that for failed tests only.

mod cli;
mod cluster;
mod database;
mod process;
mod scim;
mod scratch;
mod server;
mod simulator;
mod wait;

pub use cli::{Cli, CliOutput};
pub use database::Database;
pub use scim::{Client, Reply, ScimClient};
pub use scratch::Scratch;
pub use server::{ServeOptions, Server};
pub use simulator::{SimulatorProcess, SimulatorStats};
pub use wait::wait_until;

/// The path of the real binary. Cargo tells it to integration tests only, hence a macro.
#[macro_export]
macro_rules! server_binary {
    () => {
        ::std::path::Path::new(env!("CARGO_BIN_EXE_rollcall-under-test"))
    };
}
