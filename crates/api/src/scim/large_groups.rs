//! Answers that hold groups with more members than are loaded at once: written part by part while the client reads, so
//! that a hundred thousand members need no more memory than the list of their ids.
//!
//! The list is read at one moment, and the answer holds exactly those members. What they are and are called is read for a
//! part at a time, when its turn comes. A database that fails in the middle breaks off the answer: a client can only
//! be told by a connection that ends too early, since the status has long been sent.

use crate::error::ApiError;
use crate::refusal::SCIM_JSON;
use crate::rules::Rules;
use crate::scim::answer::{self, About};
use crate::scim::base::BaseUrl;
use crate::scim::call::Call;
use crate::scim::group_json::{GroupJson, MEMBERS};
use crate::scim::query::Query;
use crate::state::ApiState;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use rollcall_provisioning::ids::{ResourceId, SourceId, TenantId};
use rollcall_scim::projection::Projection;
use rollcall_store::groups::{LOADED_MEMBERS, Roll, StoredGroup};
use serde_json::Value;
use std::collections::VecDeque;
use std::error::Error as StdError;
use std::sync::Arc;
use std::vec;
use tracing::{Instrument as _, Span};

/// What a client reads, and how it wants groups to be written.
pub(super) struct Writer {
    state: ApiState,
    rules: Arc<Rules>,
    base: BaseUrl,
    tenant: TenantId,
    source: SourceId,
    query: Query,
    parts: VecDeque<Part>,
    open: Option<Open>,
}

/// A part of an answer.
enum Part {
    /// As it is.
    Text(Bytes),
    /// A group whose members are read when its turn comes.
    Group(Box<StoredGroup>),
    /// A group whose members have been read.
    Roll(Box<Roll>),
}

/// A group whose members are being written.
struct Open {
    group: StoredGroup,
    values: vec::IntoIter<String>,
    /// Whether one has been written.
    any: bool,
}

impl Writer {
    /// For the answer to a call. `query` says which attributes are wanted.
    pub(super) fn new(call: &Call, state: &ApiState, query: &Query) -> Self {
        Self {
            state: state.clone(),
            rules: call.shared_rules(),
            base: call.base.clone(),
            tenant: call.client.tenant,
            source: call.source(),
            query: Query { attributes: query.attributes.clone(), excluded: query.excluded.clone(), ..Query::default() },
            parts: VecDeque::new(),
            open: None,
        }
    }

    /// Answers with one group and all its members. `None` if it has gone.
    pub(super) async fn resource(mut self, status: StatusCode, id: ResourceId) -> Result<Option<Response>, ApiError> {
        let Some(roll) = self.state.store().roll(self.tenant, id, Some(self.source)).await? else {
            return Ok(None);
        };
        let location = self.base.resource(&self.rules.types().group().endpoint, id);
        let version = roll.group.version;
        self.parts.push_back(Part::Roll(Box::new(roll)));
        let mut response = self.answer(status);
        answer::tell(&mut response, About { version, location: &location });
        Ok(Some(response))
    }

    /// Answers with a `ListResponse`. In the place of each large group stands null.
    pub(super) fn list(mut self, mut body: Value, large: Vec<StoredGroup>) -> Response {
        let resources =
            body.as_object_mut().and_then(|body| body.shift_remove(RESOURCES)?.as_array_mut().map(std::mem::take));
        let mut text = opened(&body, RESOURCES);
        let mut large = large.into_iter().map(|group| Part::Group(Box::new(group)));
        for (position, resource) in resources.unwrap_or_default().into_iter().enumerate() {
            if position > 0 {
                text.push(b',');
            }
            match resource {
                Value::Null => {
                    self.parts.push_back(Part::Text(std::mem::take(&mut text).into()));
                    self.parts.extend(large.next());
                }
                resource => text.extend(bytes(&resource)),
            }
        }
        text.extend(CLOSED);
        self.parts.push_back(Part::Text(text.into()));
        self.answer(StatusCode::OK)
    }

    fn answer(self, status: StatusCode) -> Response {
        // The request has been answered, as far as its span knows, when this is written.
        let span = Span::current();
        let parts = stream::try_unfold(self, move |mut writer| {
            let part = async {
                let part = writer.next().await.inspect_err(|error| {
                    let error: &dyn StdError = error;
                    tracing::error!(tenant = %writer.tenant, error, "an answer was broken off in the middle");
                })?;
                Ok::<_, ApiError>(part.map(|part| (part, writer)))
            };
            part.instrument(span.clone())
        });
        let mut response = Response::new(Body::from_stream(parts));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
        response
    }

    /// What comes next; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        if let Some(mut open) = self.open.take() {
            let text = self.members(&mut open).await?;
            self.open = Some(open).filter(|open| open.values.len() > 0);
            return Ok(Some(text.into()));
        }
        let roll = match self.parts.pop_front() {
            None => return Ok(None),
            Some(Part::Text(text)) => return Ok(Some(text)),
            Some(Part::Roll(roll)) => *roll,
            Some(Part::Group(group)) => {
                let roll = self.state.store().roll(self.tenant, group.id, Some(self.source)).await?;
                // A group that has gone in the meantime stays in the list, since it was counted; nobody is in it.
                roll.unwrap_or_else(|| Roll { group: StoredGroup { members: None, ..*group }, values: Vec::new() })
            }
        };
        let head = self.render(&roll.group)?;
        self.open = Some(Open { group: roll.group, values: roll.values.into_iter(), any: false });
        Ok(Some(opened(&head, MEMBERS).into()))
    }

    /// The next members of an open group, and its end if they are the last.
    async fn members(&self, open: &mut Open) -> Result<Vec<u8>, ApiError> {
        let values: Vec<String> = open.values.by_ref().take(LOADED_MEMBERS).collect();
        open.group.members = Some(self.state.store().members(self.tenant, &values).await?);
        let rendered = self.render(&open.group)?;
        let mut text = Vec::new();
        for member in rendered.get(MEMBERS).and_then(Value::as_array).into_iter().flatten() {
            if std::mem::replace(&mut open.any, true) {
                text.push(b',');
            }
            text.extend(bytes(member));
        }
        if open.values.len() == 0 {
            text.extend(CLOSED);
        }
        Ok(text)
    }

    fn render(&self, group: &StoredGroup) -> Result<Value, ApiError> {
        let types = self.rules.types();
        let projection: Projection<'_> = self.query.projection(types.group())?;
        Ok(GroupJson { types, base: &self.base }.render(group, &projection))
    }
}

const RESOURCES: &str = "Resources";

/// What ends an object that was [`opened`].
const CLOSED: &[u8] = b"]}";

/// An object that ends with a list of which nothing is written yet.
fn opened(object: &Value, list: &str) -> Vec<u8> {
    let mut text = bytes(object);
    text.pop();
    text.extend(format!(",\"{list}\":[").bytes());
    text
}

fn bytes(value: &Value) -> Vec<u8> {
    // Writing a value to memory cannot fail.
    serde_json::to_vec(value).unwrap_or_default()
}
