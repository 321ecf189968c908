//! The outermost layer: see [`observe`].

use crate::edge::Edge;
use crate::edge::arrival::Arrival;
use crate::edge::counts::{count_operation, operation, resource_of};
use crate::edge::host;
use crate::edge::request_id::{self, RequestId};
use crate::error::ApiError;
use crate::limits::{MAX_BODY_BYTES, REQUEST_TIMEOUT, RETRY_AFTER_SECONDS};
use crate::refusal::{Dialect, PROBLEM_JSON, Refusal, SCIM_JSON, replace_body};
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version, header};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tracing::{Instrument as _, field};

/// What the inner layers learn about a request and the edge wants to tell. Put into the request's extensions.
#[derive(Clone, Default, Debug)]
pub struct Notes(Arc<OnceLock<Arc<str>>>);

impl Notes {
    /// Notes whose token it was. The first call counts.
    pub fn source(&self, name: Arc<str>) {
        tracing::Span::current().record("source", &*name);
        let _ = self.0.set(name);
    }

    fn source_name(&self) -> Option<&str> {
        self.0.get().map(|name| &**name)
    }
}

/// Gives the request an id and a span, lets it run for a limited time, writes out refusals, and counts.
///
/// The span and the metrics carry the *matched route*, never the path or the query: both hold personal data.
pub(crate) async fn observe(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::from_headers(request.headers()).unwrap_or_else(|| RequestId::from_uuid(edge.ids.new_id()));
    let route = request.extensions().get::<MatchedPath>().map(|path| Route(path.as_str().into()));
    let route = route.unwrap_or_else(|| Route("unmatched".into()));
    let method = request.method().clone();
    let uri = request.uri().clone();
    let notes = Notes::default();
    let span = tracing::info_span!(
        "request",
        request_id = id.as_str(),
        method = method_word(&method),
        route = route.name(),
        source = field::Empty,
    );
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(notes.clone());
    let arrival = Arrival::default();
    request.extensions_mut().insert(arrival.clone());
    let version = request.version();

    let mut response = if let Some(refusal) = refused_at_once(&request) {
        // A client that waits for "100 Continue", which reading would send, sends nothing that must be read.
        let waits = request.headers().contains_key(header::EXPECT);
        arrival.refuse(if waits { Body::empty() } else { request.into_body() });
        refusal.into_response()
    } else {
        let run = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).instrument(span.clone());
        run.await.unwrap_or_else(|_elapsed| too_slow(&arrival).into_response())
    };

    let refusal = refusal_of(&mut response, &method, &uri);
    let code = refusal.as_ref().map(|refusal| refusal.code);
    if let Some(refusal) = refusal {
        let rendered = refusal.render(Dialect::of(uri.path()), &id);
        response = replace_body(response, rendered);
    }
    protect(&mut response, &id);
    if !arrival.is_settled() && version <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    arrival.linger();

    let seen = Seen { route: &route, method: &method, status: response.status(), code, source: notes.source_name() };
    let elapsed = started.elapsed();
    seen.count(elapsed.as_secs_f64());
    seen.count_scim(&edge);
    span.in_scope(|| {
        let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = seen.status.as_u16(), ms, code, "answered");
    });
    response
}

/// The refusal that an answer stands for, if it does.
fn refusal_of(response: &mut Response, method: &Method, uri: &http::Uri) -> Option<Refusal> {
    if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
        return Some(refusal);
    }
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    // An answer with a form of its own (a console page, a body that was rendered already) stays as it is.
    let bare =
        response.headers().get(CONTENT_TYPE).is_none_or(|media_type| media_type.as_bytes().starts_with(b"text/plain"));
    (failed && bare).then(|| Refusal::from_status(status, method, uri))
}

/// Why a request is refused of which the head alone is enough to be seen.
fn refused_at_once(request: &Request) -> Option<Refusal> {
    host::refusal(request).or_else(|| is_too_large(request).then(|| ApiError::BodyTooLarge.refusal()))
}

/// True for a body that says itself that it is larger than any may be.
fn is_too_large(request: &Request) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    // Digits that do not fit into a number are many.
    length.is_some_and(|length| length.parse().unwrap_or(usize::MAX) > MAX_BODY_BYTES)
}

/// What a client is told when time is up: whether we waited for it, or it for us.
fn too_slow(arrival: &Arrival) -> Refusal {
    let limit = REQUEST_TIMEOUT.as_secs();
    if arrival.is_awaited() {
        return Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            format!("the body did not arrive within {limit} seconds; send the request again, with all of its body"),
        );
    }
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "timeout",
        format!("the request took longer than {limit} seconds and was given up; send it again after a pause"),
    )
    .retry_after(RETRY_AFTER_SECONDS)
}

/// Sets the headers that every answer carries, unless a handler has chosen its own.
fn protect(response: &mut Response, id: &RequestId) {
    const ALWAYS: [(HeaderName, HeaderValue); 2] = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    const DATA: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let is_data = response.headers().get(CONTENT_TYPE).is_none_or(|media_type| {
        [SCIM_JSON, PROBLEM_JSON, "application/json"]
            .iter()
            .any(|ours| media_type.as_bytes().starts_with(ours.as_bytes()))
    });
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    for (name, value) in DATA {
        if is_data {
            headers.entry(name).or_insert(value);
        }
    }
    if let Some(value) = id.header_value() {
        headers.insert(request_id::HEADER, value);
    }
}

/// A route as registered. Spellings with a trailing slash count as the same route.
struct Route(Box<str>);

impl Route {
    fn name(&self) -> &str {
        self.0.trim_end_matches('/')
    }

    /// The SCIM resource type behind the route, for metrics.
    fn scim_resource(&self) -> Option<&'static str> {
        resource_of(self.name().strip_prefix("/scim/v2/")?.trim_start_matches('/').split('/').next()?)
    }
}

/// A method as a metric label: only known ones, so that nobody can make series up.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// One answered request, for counting.
struct Seen<'a> {
    route: &'a Route,
    method: &'a Method,
    status: StatusCode,
    code: Option<&'static str>,
    source: Option<&'a str>,
}

impl Seen<'_> {
    fn count(&self, seconds: f64) {
        metrics::histogram!(
            "http_server_request_duration_seconds",
            "http_route" => self.route.name().to_owned(),
            "http_request_method" => method_word(self.method),
            "http_response_status_code" => self.status.as_str().to_owned(),
        )
        .record(seconds);
    }

    /// Counts what a source did to the directory, and when it was last heard of.
    fn count_scim(&self, edge: &Edge) {
        let (Some(resource), Some(source)) = (self.route.scim_resource(), self.source) else {
            return;
        };
        let operation = operation(self.method, self.route.name().contains('{'));
        count_operation(source, (resource, operation), self.status, self.code);
        let source = source.to_owned();
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a float exactly")]
        let now = edge.clock.now().unix_timestamp() as f64;
        metrics::gauge!("rollcall_source_last_request_timestamp_seconds", "source" => source).set(now);
    }
}
