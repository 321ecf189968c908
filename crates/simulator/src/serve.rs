//! Serving: the router and the accept loop.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::connection::{Connection, Connections};
use crate::simulator::Simulator;
use crate::{control, gateway};

/// How long open calls may go on after a shutdown: a slow answer on purpose must not hold the program back.
const GRACE: Duration = Duration::from_secs(1);

/// All routes: `/_simulator/…` for people and tests, everything else is DingTalk.
///
/// Served by anything but [`serve`], a cut connection shows as an empty HTTP 502, since only `serve` can cut one.
pub fn router(simulator: &Simulator) -> Router {
    control::routes().fallback(gateway::answer).with_state(simulator.clone())
}

/// Answers on `listener` until `shutdown` completes; calls still open then have one second to finish.
///
/// # Errors
///
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    simulator: Simulator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (announce, mut announced) = watch::channel(false);
    let service = router(&simulator).into_make_service_with_connect_info::<Connection>();
    let shutdown = async move {
        shutdown.await;
        announce.send_replace(true);
    };
    let server = axum::serve(Connections(listener), service).with_graceful_shutdown(shutdown);
    tokio::select! {
        ended = server => ended,
        () = overdue(&mut announced) => Ok(()),
    }
}

async fn overdue(announced: &mut watch::Receiver<bool>) {
    if announced.wait_for(|&announced| announced).await.is_err() {
        // The server has gone first and tells its own end.
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(GRACE).await;
}
