//! A process that holds an embedded Postgres, so that tests can kill it, run it as another user, or run two of them.
//!
//! `postgres-holder <data folder>` starts or joins the folder's server, prints one line of JSON, and waits for a line
//! on its standard input: `stop` stops it properly, anything else or the end of the input leaves without a word.

use std::io::BufRead;
use std::path::PathBuf;

use anyhow::Context;
use rollcall_server::postgres::{DATABASE, Durability, Postgres, Search};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let data_dir = PathBuf::from(std::env::args_os().nth(1).context("the data folder is missing")?);
    let search = Search { bin_dir: None, path: std::env::var_os("PATH") };
    let postgres = Postgres::start(&data_dir, Durability::Full, &search).await?;
    println!(
        "{}",
        serde_json::json!({
            "url": postgres.url(DATABASE),
            "pid": postgres.pid(),
            "joined": postgres.joined(),
            "user": rustix::process::geteuid().as_raw(),
        })
    );
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    if line.trim() == "stop" {
        postgres.stop().await?;
    }
    Ok(())
}
