//! `rollcall simulator`: the DingTalk simulator alone.

use crate::cli::SimulatorArgs;
use crate::folder::{Readers, announce};
use anyhow::{Context, Result};
use rollcall_simulator::{App, Options, Simulator};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The secret of the simulator's application. It guards nothing: the simulator is a toy on loopback.
pub(crate) const APP_SECRET: &str = "simulator-secret";

/// A simulator with one application that may do everything.
pub(crate) fn simulator(app_key: &str, calls_per_second: u16) -> Simulator {
    Simulator::new(Options {
        qps: usize::from(calls_per_second),
        apps: vec![App::with_everything(app_key, APP_SECRET)],
        ..Options::default()
    })
}

/// A listener, with an error that names the address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on; is another server there? Choose another address"))
}

/// Runs until the process is told to stop.
pub(crate) async fn run(args: &SimulatorArgs) -> Result<()> {
    let listener = listen(args.listen).await?;
    let address = listener.local_addr()?;
    eprintln!("DingTalk simulator on http://{address}/_simulator/ (application {}, secret {APP_SECRET})", args.app_key);
    if let Some(file) = &args.ready_file {
        announce(file, &address.to_string(), Readers::Everybody)?;
    }
    let simulator = simulator(&args.app_key, args.calls_per_second);
    rollcall_simulator::serve(listener, simulator, crate::serve::told_to_stop()).await?;
    Ok(())
}
