//! A door in front of the simulator: every worker has a path of its own, and each call stands at a gate.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::net::TcpListener;

use super::gate::{self, Gate};

/// Serves `listener` for ever; the calls of worker `n` come under `/w<n>`.
pub(crate) async fn serve(listener: TcpListener, gates: Vec<Gate>) {
    // It ends with the runtime.
    let _ = axum::serve(listener, Router::new().fallback(pass).with_state(gates)).await;
}

async fn pass(State(gates): State<Vec<Gate>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let whole = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let of = whole.strip_prefix("/w").and_then(|rest| rest.split_once('/'));
    let found = of.and_then(|(worker, path)| Some((gates.get(worker.parse::<usize>().ok()?)?, format!("/{path}"))));
    let Some((gate, path)) = found else { return cut() };
    let (Ok(uri), Ok(body)) = (path.parse(), to_bytes(body, usize::MAX).await) else { return cut() };
    parts.uri = uri;
    match gate::call(gate, axum::http::Request::from_parts(parts, body)).await {
        Some(answer) => answer.map(Body::from),
        None => cut(),
    }
}

/// An answer that breaks off before anything can be read.
fn cut() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    Response::new(Body::from_stream(broken))
}
