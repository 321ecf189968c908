//! DingTalk's gateway: reads a call, checks it in the gateway's order, has it carried out, and words the answer.
//!
//! The order is path, token, IP, scope, rate, contact range, business (§1.3 of the access pages, inferred from probes).
//! The work is done in two steps under the state's lock with nothing awaited inside: admission when the call arrives,
//! execution after the delay that a fault may impose.

mod admission;
mod answer;
mod call;
mod catalogue;
mod execution;
mod token_apis;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::connection::Connection;
use crate::simulator::{Simulator, Transit};

use answer::Answer;
use call::Call;

/// Largest request body.
const BODY_LIMIT: usize = 1024 * 1024;

/// Answers every path outside `/_simulator/`.
pub(crate) async fn answer(State(simulator): State<Simulator>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let connection = parts.extensions.get::<ConnectInfo<Connection>>().map(|info| info.0.clone());
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large").into_response();
    };
    let peer = connection.as_ref().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |connection| connection.peer.ip());
    let call = Call::read(&parts, &body, peer).await;
    let (admission, waits) = simulator.with(|world| (world.admit(call), world.clock.runs()));
    let (before_ms, after_ms) = (admission.mishap.delay_before_ms, admission.mishap.delay_after_ms);
    wait(before_ms, waits).await;
    let answer = simulator.with(|world| world.execute(admission));
    wait(after_ms, waits).await;
    let transit = Transit { before_ms, after_ms, is_cut: answer.is_cut };
    let mut response = send(answer, connection.as_ref());
    response.extensions_mut().insert(transit);
    response
}

/// Waits, unless time does not pass by itself.
async fn wait(ms: u64, time_passes: bool) {
    if ms > 0 && time_passes {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

fn send(answer: Answer, connection: Option<&Connection>) -> Response {
    if answer.is_cut {
        match connection {
            // Whatever is returned now never leaves this machine.
            Some(connection) => connection.cut(),
            // Only `serve` can cut connections; a router served otherwise comes as close as HTTP allows.
            None => return StatusCode::BAD_GATEWAY.into_response(),
        }
    }
    answer.into_response()
}
