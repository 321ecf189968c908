//! `/Bulk` (RFC 7644 §3.7): many operations in one request.
//!
//! Each operation goes through the same routes as a request of its own, as the client of the whole: the same rules, the
//! same errors, one transaction each. An operation that fails does not undo those before it. Operations that have nothing
//! to do with each other are served at the same time ([`BulkRequest::waves`]).

use crate::body::JsonBody;
use crate::edge::counts::{self, count_operation, resource_of};
use crate::error::ApiError;
use crate::limits::BULK_TIME;
use crate::refusal::{Dialect, Refusal, SCIM_JSON};
use crate::scim::answer;
use crate::scim::base::PATH;
use crate::scim::call::Call;
use crate::scim::docs::WriteRefusals;
use crate::scim::messages::{ScimBulk, ScimBulkAnswer};
use axum::body::{Body, to_bytes};
use axum::response::Response;
use axum::{Extension, Router};
use futures::{StreamExt as _, stream};
use http::header::{CONTENT_TYPE, ETAG, HOST, IF_MATCH, LOCATION};
use http::{HeaderMap, HeaderName, Request, StatusCode};
use rollcall_scim::Error;
use rollcall_scim::bulk::{self, BulkRequest, Entry, Method, Operation, Step};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use tower::ServiceExt as _;

/// Operations of one request that are served at the same time. Many share a statement then.
const AT_ONCE: usize = 16;

/// The routes that operations go through.
#[derive(Clone)]
pub(crate) struct BulkRoutes(pub(crate) Router);

/// `POST /Bulk`.
#[utoipa::path(
    post, path = "/Bulk", tag = "scim", operation_id = "scimBulk",
    request_body(content = ScimBulk, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "A BulkResponse, with the end of each operation", content_type = "application/scim+json",
            body = ScimBulkAnswer),
        WriteRefusals,
    ),
)]
pub(super) async fn bulk(
    call: Call,
    Extension(routes): Extension<BulkRoutes>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let request = BulkRequest::parse(&body, call.types().all())?;
    let mut run = Run {
        routes: routes.0,
        call: &call,
        headers: &headers,
        ids: BTreeMap::new(),
        ends: vec![None; request.operations.len()],
        until: Instant::now() + BULK_TIME,
    };
    let revives = call.client.source.profile.restore_on_post;
    for wave in request.waves(revives) {
        if request.fail_on_errors.is_some_and(|most| run.failures() >= most) {
            break;
        }
        run.wave(&request.operations, &wave).await;
    }
    let ends = request.operations.iter().zip(run.ends);
    let results: Vec<Value> = ends.filter_map(|(entry, end)| Some(end?.to_json(entry))).collect();
    Ok(answer::document(&bulk::response(&results)))
}

/// A bulk request under way.
struct Run<'a> {
    routes: Router,
    call: &'a Call,
    headers: &'a HeaderMap,
    /// The ids of the new resources, by `bulkId`.
    ids: BTreeMap<String, String>,
    /// How the operations ended, in the order of the request.
    ends: Vec<Option<End>>,
    until: Instant,
}

/// How an operation ended.
#[derive(Clone, Debug)]
struct End {
    status: StatusCode,
    version: Option<String>,
    location: Option<String>,
    /// The error body of a failure.
    response: Option<Value>,
    /// The word for a failure that was told by a route.
    code: Option<&'static str>,
    /// True while a part is missing that comes later.
    partial: bool,
}

impl Run<'_> {
    fn failures(&self) -> u64 {
        self.ends.iter().flatten().map(|end| u64::from(end.failed())).sum()
    }

    /// Serves steps at the same time.
    async fn wave(&mut self, operations: &[Entry], wave: &[Step]) {
        let at_once = stream::iter(wave.to_vec()).map(|step| self.end_of(operations, step));
        let ends: Vec<_> = at_once.buffered(AT_ONCE).collect().await;
        for (step, end) in wave.iter().zip(ends) {
            // Somebody of its own wave may have stood in the way of a change, because they had not moved yet.
            let again = wave.len() > 1 && self.may_change_again(operations, *step, end.as_ref());
            let end = if again { self.end_of(operations, *step).await } else { end };
            self.note(operations, *step, end);
        }
    }

    /// Whether a change found a name taken, and there is time to try it again.
    fn may_change_again(&self, operations: &[Entry], step: Step, end: Option<&End>) -> bool {
        let Step::Whole(place) = step else { return false };
        let operation = operations.get(place).and_then(|entry| entry.operation.as_ref().ok());
        operation.is_some_and(|operation| matches!(operation.method, Method::Put | Method::Patch))
            && end.is_some_and(|end| end.status == StatusCode::CONFLICT)
            && Instant::now() <= self.until
    }

    async fn end_of(&self, operations: &[Entry], step: Step) -> Option<End> {
        let (Step::Whole(place) | Step::Without(place) | Step::Complete(place)) = step;
        let operation = match &operations.get(place)?.operation {
            Ok(operation) => operation,
            Err(error) => return Some(self.refused(error)),
        };
        if let Step::Complete(_) = step {
            let before = self.ends.get(place).cloned().flatten().filter(|before| before.partial)?;
            return Some(self.complete(operation, before).await);
        }
        let missing = self.missing(operation);
        match step {
            Step::Whole(_) if !missing.is_empty() => Some(self.refused(&unresolved(&missing))),
            _ => Some(self.serve(operation, &missing).await),
        }
    }

    fn note(&mut self, operations: &[Entry], step: Step, end: Option<End>) {
        let (Step::Whole(place) | Step::Without(place) | Step::Complete(place)) = step;
        let (Some(entry), Some(end)) = (operations.get(place), end) else { return };
        if let (Ok(operation), false) = (&entry.operation, matches!(step, Step::Complete(_))) {
            self.count(operation, &end);
        }
        if let (Some(name), Some(id)) = (&entry.bulk_id, end.new_id()) {
            self.ids.insert(name.clone(), id.to_owned());
        }
        if let Some(slot) = self.ends.get_mut(place) {
            *slot = Some(end);
        }
    }

    /// What an operation refers to that is not there.
    fn missing(&self, operation: &Operation) -> BTreeSet<String> {
        operation.references.iter().filter(|name| !self.ids.contains_key(*name)).cloned().collect()
    }

    async fn serve(&self, operation: &Operation, missing: &BTreeSet<String>) -> End {
        let end = self.send(&self.resolved(operation, missing)).await;
        End { partial: !missing.is_empty() && !end.failed(), ..end }
    }

    /// Gives a resource that was made without some of its references the rest of them.
    async fn complete(&self, operation: &Operation, made: End) -> End {
        let missing = self.missing(operation);
        if !missing.is_empty() {
            let Error { detail, .. } = unresolved(&missing);
            let end =
                self.refused(&Error::invalid_value(format!("the resource was created without a reference: {detail}")));
            return End { version: made.version, location: made.location, ..end };
        }
        let id = made.new_id().map(str::to_owned);
        let whole = Operation { method: Method::Put, id, ..self.resolved(operation, &missing) };
        let end = self.send(&whole).await;
        if end.failed() {
            return End { location: made.location, ..end };
        }
        End { version: end.version, partial: false, ..made }
    }

    /// The operation with ids in place of references; what refers to something missing is left out.
    fn resolved(&self, operation: &Operation, missing: &BTreeSet<String>) -> Operation {
        let mut data = operation.data.clone();
        if let Some(rt) = self.call.types().all().iter().find(|rt| rt.endpoint == operation.endpoint) {
            data = bulk::without(rt, &data, missing);
            bulk::resolve(rt, &mut data, &self.ids);
        }
        let id = operation.id.as_deref().map(|id| bulk::resolved(id, &self.ids).to_owned());
        Operation { id, data, ..operation.clone() }
    }

    /// Sends one operation through the routes.
    async fn send(&self, operation: &Operation) -> End {
        if Instant::now() > self.until {
            let detail = "the request took too long, and this operation was not begun; send it again";
            return self.refused(&Error::status(StatusCode::SERVICE_UNAVAILABLE.as_u16(), detail));
        }
        let Operation { method, endpoint, id, version, data, .. } = operation;
        let path = id.as_ref().map_or_else(|| endpoint.clone(), |id| format!("{endpoint}/{id}"));
        let mut request = Request::builder().method(self::method(*method)).uri(format!("{PATH}{path}"));
        if let Some(host) = self.headers.get(&HOST) {
            request = request.header(HOST, host);
        }
        if let Some(version) = version {
            request = request.header(IF_MATCH, version);
        }
        let body =
            if data.is_null() { Body::empty() } else { Body::from(serde_json::to_vec(data).unwrap_or_default()) };
        let request = request
            .header(CONTENT_TYPE, SCIM_JSON)
            .extension(self.call.request_id().clone())
            // Whose it is was found out once for the whole; what they may do is judged for each operation.
            .extension(self.call.client.clone())
            .body(body);
        let Ok(request) = request else {
            return self.refused(&Error::invalid_syntax("\"version\" is not the value of an ETag"));
        };
        // The type says that routes never fail.
        let Ok(mut response) = self.routes.clone().oneshot(request).await;
        let mut code = None;
        if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
            code = Some(refusal.code);
            response = refusal.render(Dialect::Scim, self.call.request_id());
        }
        let end = End::of(response, id.as_ref().map(|_| format!("{}{path}", self.call.base.as_str()))).await;
        End { code, ..end }
    }

    /// Counts an operation as if it had come alone.
    fn count(&self, operation: &Operation, end: &End) {
        if let Some(resource) = resource_of(operation.endpoint.trim_start_matches('/')) {
            let what = counts::operation(&method(operation.method), true);
            count_operation(&self.call.client.source.name, (resource, what), end.status, end.code);
        }
    }

    /// The end of an operation that was not sent.
    fn refused(&self, error: &Error) -> End {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        let detail = format!("{} [request {}]", error.detail, self.call.request_id());
        let response = Some(Error { detail, ..error.clone() }.to_json());
        End { status, version: None, location: None, response, code: None, partial: false }
    }
}

impl End {
    /// From the answer of a route. `location` is that of the resource named in the path.
    async fn of(response: Response, location: Option<String>) -> Self {
        let (parts, body) = response.into_parts();
        let header =
            |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (version, location) = (header(ETAG), header(LOCATION).or(location));
        let mut end = Self { status: parts.status, version, location, response: None, code: None, partial: false };
        if end.failed() {
            // The body was in memory before.
            let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
            end.response = serde_json::from_slice(&bytes).ok();
        }
        end
    }

    fn failed(&self) -> bool {
        !self.status.is_success()
    }

    /// The id of what a POST has made.
    fn new_id(&self) -> Option<&str> {
        let location = self.location.as_deref().filter(|_| self.status == StatusCode::CREATED)?;
        location.rsplit('/').next()
    }

    fn to_json(&self, entry: &Entry) -> Value {
        let mut end = Map::new();
        let mut put = |name: &str, value: Option<Value>| end.extend(value.map(|value| (name.to_owned(), value)));
        put("method", Some(json!(entry.method)));
        put("bulkId", entry.bulk_id.as_ref().map(|id| json!(id)));
        put("version", self.version.as_ref().map(|version| json!(version)));
        put("location", self.location.as_ref().map(|location| json!(location)));
        if self.partial {
            let detail = "the resource was created without those of its references that point at later operations, \
                          because processing stopped after errors";
            put("status", Some(json!("409")));
            put("response", Some(Error::status(409, detail).to_json()));
        } else {
            put("status", Some(json!(self.status.as_str())));
            put("response", self.response.clone());
        }
        Value::Object(end)
    }
}

fn method(method: Method) -> http::Method {
    match method {
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Patch => http::Method::PATCH,
        Method::Delete => http::Method::DELETE,
    }
}

/// An operation cannot be served without what it refers to.
fn unresolved(missing: &BTreeSet<String>) -> Error {
    let names: Vec<&str> = missing.iter().map(String::as_str).take(10).collect();
    Error::invalid_value(format!("it refers to the bulkId {}, whose operation failed", names.join(", ")))
}
