//! The binary: configuration, wiring, command line, telemetry, embedded Postgres, shutdown.
//!
//! Nothing depends on this crate but the whole-program tests, which start its [`main`] as a process and use its
//! [`postgres`].

mod ask;
mod cli;
mod clock;
mod commands;
mod config;
mod connector;
mod database;
mod demo;
mod folder;
mod http;
mod keys;
pub mod postgres;
mod secrets;
mod serve;
mod simulate;
mod telemetry;

use clap::Parser;
use std::process::ExitCode;

/// A request makes and drops some hundred small values; this allocator takes half the time of the platform's for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the program with the arguments of the process. Errors go to standard error, with their causes.
pub fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version are no errors. What is one ends with 1, as any other: 2 says something else of a plan.
            let code = if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            return error.print().map_or(ExitCode::FAILURE, |()| code);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rollcall: the asynchronous runtime could not be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rollcall: {}", commands::visible(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}
