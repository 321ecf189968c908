//! Bulk (RFC 7644 §3.7): many operations in one request, which may name each other's new resources by `bulkId`.
//!
//! Each operation is served as if it had come alone. What is decided here is what one needs of another: in which order
//! they are served ([`BulkRequest::plan`]), which of them at the same time ([`BulkRequest::waves`]), and what stands in
//! place of a `bulkId` ([`resolve`], [`without`]).

mod plan;
mod reference;
mod wave;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::error::{Error, quoted};
use crate::limits::MAX_BULK_OPERATIONS;
use crate::resource::{check_keys, member};
use crate::schema::ResourceType;
use plan::Plan;
use reference::reference;
pub use reference::{references, resolve, resolved, without};
use wave::Wave;

/// Schema URN of a bulk request.
pub const REQUEST_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// Schema URN of its answer.
pub const RESPONSE_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// A bulk request, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// After so many failed operations no other is begun; `None`: all are served.
    pub fail_on_errors: Option<u64>,
    /// The operations in the order of the request.
    pub operations: Vec<Entry>,
}

/// One operation as the client wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The method, for the answer.
    pub method: String,
    /// The client's name for the resource that a POST makes.
    pub bulk_id: Option<String>,
    /// What is to be done, or why that cannot be told.
    pub operation: Result<Operation, Error>,
}

/// What one operation does.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// How.
    pub method: Method,
    /// The endpoint of the resource type, with a slash before it (`/Users`).
    pub endpoint: String,
    /// The id, or a reference to a `bulkId`; `None` for a POST.
    pub id: Option<String>,
    /// The version that the resource must have, as in `If-Match`.
    pub version: Option<String>,
    /// The body; [`Value::Null`] for a DELETE.
    pub data: Value,
    /// The `bulkId`s that path and body refer to.
    pub references: BTreeSet<String>,
}

/// The methods of RFC 7644 §3.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The word, in capitals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What is done next; the number is the place of the operation in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The operation; everything that it refers to has been served.
    Whole(usize),
    /// A POST that refers to what in turn refers to it: without what is not there yet.
    Without(usize),
    /// The same resource again, by PUT, now with everything.
    Complete(usize),
}

impl BulkRequest {
    /// Reads a bulk request about resources of these types. An operation that cannot be read is an error of its own and
    /// does not keep the others.
    ///
    /// # Errors
    /// 400 `invalidSyntax` when the frame is not that of a bulk request or two operations have the same `bulkId`; 413
    /// for more than [`MAX_BULK_OPERATIONS`].
    pub fn parse(body: &Value, types: &[ResourceType]) -> Result<Self, Error> {
        let Some(object) = body.as_object() else {
            return Err(Error::invalid_syntax("the body must be a JSON object that holds operations"));
        };
        check_keys(object)?;
        let schemas = member(object, "schemas").and_then(Value::as_array);
        let mut named = schemas.into_iter().flatten().filter_map(Value::as_str);
        if !named.any(|urn| urn.eq_ignore_ascii_case(REQUEST_SCHEMA)) {
            return Err(Error::invalid_syntax(format!("\"schemas\" must be an array that holds \"{REQUEST_SCHEMA}\"")));
        }
        let Some(list) = member(object, "Operations").and_then(Value::as_array) else {
            return Err(Error::invalid_syntax("\"Operations\" must be an array of operations"));
        };
        if list.len() > MAX_BULK_OPERATIONS {
            return Err(Error::payload_too_large(format!(
                "the request has {} operations, and at most {MAX_BULK_OPERATIONS} (bulk.maxOperations) are possible; \
                 send several requests",
                list.len()
            )));
        }
        let fail_on_errors = match member(object, "failOnErrors") {
            None | Some(Value::Null) => None,
            Some(value) => match value.as_u64() {
                Some(0) => None,
                Some(number) => Some(number),
                None => return Err(Error::invalid_value("\"failOnErrors\" must be an integer that is not negative")),
            },
        };
        let mut operations: Vec<Entry> = list.iter().map(|value| Entry::parse(value, types)).collect();
        check_references(&mut operations)?;
        Ok(Self { fail_on_errors, operations })
    }

    /// The order in which the operations are served: that of the request, but each after those whose resources it
    /// refers to; and those of one resource always in their order. Where they refer to each other in a circle, one POST
    /// begins without what is not there yet, and is completed before anything else is done to its resource. Operations
    /// that cannot be read are steps too: they end with their error.
    pub fn plan(&self) -> Vec<Step> {
        let mut plan = Plan::of(&self.operations);
        while let Some(step) = plan.next() {
            plan.take(step);
        }
        plan.steps
    }

    /// The [plan](Self::plan), cut into waves: the steps of one can be served at the same time, and it comes to the same.
    /// They have one method and one endpoint, are about different resources, give different names, and none refers to what
    /// another one makes. Only a name that another one of the wave gives up may be had sooner or later than in order. Where
    /// processing stops after errors each step is a wave, because who comes after whom counts. So is each POST where one can
    /// bring somebody back (`revives`), who then gives up a name that nobody here knows.
    pub fn waves(&self, revives: bool) -> Vec<Vec<Step>> {
        let mut waves = Vec::new();
        let mut wave = Wave::default();
        for step in self.plan() {
            let alone =
                self.fail_on_errors.is_some() || (revives && wave.kind.is_some_and(|(kind, _)| kind == Method::Post));
            if !wave.steps.is_empty() && (alone || !wave.takes(&self.operations, step)) {
                waves.push(std::mem::take(&mut wave).steps);
            }
            wave.add(&self.operations, step);
        }
        waves.extend(Some(wave.steps).filter(|steps| !steps.is_empty()));
        waves
    }
}

impl Entry {
    fn parse(value: &Value, types: &[ResourceType]) -> Self {
        let nothing = Map::new();
        let object = value.as_object().unwrap_or(&nothing);
        let text = |name: &str| member(object, name).and_then(Value::as_str).map(str::to_owned);
        let method = text("method").unwrap_or_default().to_ascii_uppercase();
        let operation = Operation::parse(object, &method, types);
        Self { method, bulk_id: text("bulkId").filter(|id| !id.is_empty()), operation }
    }

    /// The POST's name, if it can be referred to.
    fn name(&self) -> Option<&str> {
        let posts = self.operation.as_ref().is_ok_and(|operation| operation.method == Method::Post);
        self.bulk_id.as_deref().filter(|_| posts)
    }

    fn references(&self) -> impl Iterator<Item = &str> {
        self.operation.iter().flat_map(|operation| operation.references.iter().map(String::as_str))
    }
}

impl Operation {
    fn parse(object: &Map<String, Value>, method: &str, types: &[ResourceType]) -> Result<Self, Error> {
        check_keys(object)?;
        let method = match method {
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => return Err(Error::invalid_syntax("\"method\" must be POST, PUT, PATCH or DELETE")),
        };
        let text = |name: &str| match member(object, name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Error::invalid_syntax(format!("\"{name}\" must be a string"))),
        };
        text("bulkId")?;
        let path = text("path")?.ok_or_else(|| Error::invalid_syntax("\"path\" is missing"))?;
        let (rt, id) = split(path, types)?;
        let endpoint = &rt.endpoint;
        if id.is_some() == (method == Method::Post) {
            let wanted = if method == Method::Post { endpoint.clone() } else { format!("{endpoint}/{{id}}") };
            let method = method.as_str();
            return Err(Error::invalid_path(format!("the path of a {method} must be {wanted}, not {}", quoted(path))));
        }
        let data = match (method, member(object, "data")) {
            (Method::Delete, _) => Value::Null,
            (_, Some(data @ Value::Object(_))) => data.clone(),
            _ => return Err(Error::invalid_syntax(format!("\"data\" of a {} must be an object", method.as_str()))),
        };
        let mut references = references(rt, &data);
        references.extend(id.and_then(reference).map(str::to_owned));
        Ok(Self {
            method,
            endpoint: endpoint.clone(),
            id: id.map(str::to_owned),
            version: text("version")?.map(str::to_owned),
            data,
            references,
        })
    }

    /// The resource that it is about, unless it makes one.
    fn resource(&self) -> Option<(&str, &str)> {
        Some((&self.endpoint, self.id.as_deref()?))
    }
}

/// Resource type and id of a path such as `/Users/2819`. The slash before it may be missing, one behind it may be there.
fn split<'a, 'p>(path: &'p str, types: &'a [ResourceType]) -> Result<(&'a ResourceType, Option<&'p str>), Error> {
    let bare = path.trim_matches('/');
    let (name, id) = bare.split_once('/').map_or((bare, None), |(name, id)| (name, Some(id)));
    let rt = types.iter().find(|rt| rt.endpoint.trim_start_matches('/').eq_ignore_ascii_case(name));
    let plain =
        |id: &str| !id.is_empty() && !id.contains(['/', '?', '#', '%']) && id.chars().all(|c| c.is_ascii_graphic());
    match rt {
        Some(rt) if id.is_none_or(plain) => Ok((rt, id)),
        _ => Err(Error::invalid_path(format!(
            "the path {} is none of {}, alone or with an id behind it",
            quoted(path),
            types.iter().map(|rt| rt.endpoint.as_str()).collect::<Vec<_>>().join(", ")
        ))),
    }
}

/// Refuses two operations with one `bulkId`, and makes an operation that refers to nothing an error of its own.
fn check_references(operations: &mut [Entry]) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for entry in operations.iter() {
        if let Some(id) = &entry.bulk_id
            && !names.insert(id.clone())
        {
            return Err(Error::invalid_syntax(format!("two operations have the bulkId {}", quoted(id))));
        }
    }
    // An operation that turns out to be an error takes with it what refers to it, and so on.
    while refuse_unknown(operations) {}
    Ok(())
}

/// Makes operations that refer to nothing errors; true if there were any.
fn refuse_unknown(operations: &mut [Entry]) -> bool {
    let posts: BTreeSet<String> = operations.iter().filter_map(|entry| entry.name().map(str::to_owned)).collect();
    let mut found = false;
    for entry in operations.iter_mut() {
        let unknown = entry.references().find(|id| !posts.contains(*id)).map(quoted);
        if let Some(unknown) = unknown {
            entry.operation =
                Err(Error::invalid_value(format!("no POST of this request that can be read has the bulkId {unknown}")));
            found = true;
        }
    }
    found
}

/// The body of the answer.
pub fn response(operations: &[Value]) -> Value {
    json!({ "schemas": [RESPONSE_SCHEMA], "Operations": operations })
}
