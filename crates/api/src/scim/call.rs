//! What a SCIM handler needs to know about a request besides its body.

use crate::auth::ScimClient;
use crate::auth::scopes::{self, Scopes};
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::owners::MANAGER;
use crate::rules::{ResourceTypes, Rules};
use crate::scim::base::BaseUrl;
use crate::scim::query::Query;
use crate::state::ApiState;
use axum::extract::{FromRequestParts, MatchedPath, Path};
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use rollcall_provisioning::ids::{ResourceId, SourceId};
use rollcall_scim::Error;
use rollcall_scim::error::quoted;
use rollcall_scim::profile::ManagerBy;
use rollcall_scim::schema::ResourceType;
use rollcall_scim::version;
use rollcall_store::write::Actor;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;
use uuid::Uuid;

/// An authenticated SCIM request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) client: ScimClient,
    pub(super) base: BaseUrl,
    pub(super) query: Query,
    rules: Arc<Rules>,
    if_match: Option<String>,
    if_none_match: Option<String>,
    request_id: RequestId,
}

impl Call {
    /// Who writes. A client whose word about managers does not count does not change how they are read either.
    pub(super) fn actor(&self) -> Actor {
        let source = &self.client.source;
        let names_managers = !self.rules.user_owners().deny(source.id, MANAGER);
        Actor {
            tenant: self.client.tenant,
            source: source.id,
            manager_by: if names_managers { source.profile.manager_by } else { ManagerBy::Id },
            request_id: self.request_id.as_str().to_owned(),
        }
    }

    /// The client.
    pub(super) const fn source(&self) -> SourceId {
        self.client.source.id
    }

    /// The rules of the client's tenant.
    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The same, for an answer that is written after the call.
    pub(super) fn shared_rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules)
    }

    /// The resource types of the client's tenant.
    pub(super) fn types(&self) -> &ResourceTypes {
        self.rules.types()
    }

    /// The id of the request.
    pub(super) const fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// True if the client asks for a change of one version only.
    pub(super) const fn has_precondition(&self) -> bool {
        self.if_match.is_some()
    }

    /// Judges `If-Match`.
    ///
    /// # Errors
    /// 412.
    pub(super) fn check_version(&self, version: i64) -> Result<(), Error> {
        version::if_match(self.if_match.as_deref(), version)
    }

    /// True if the client has this version already. Not for a rendering that can change while the version stays: its
    /// tag is no validator (RFC 9110 §8.8.1), so a GET of it is always answered in full.
    pub(super) fn has_version(&self, version: i64) -> bool {
        version::if_none_match(self.if_none_match.as_deref(), version)
    }
}

impl FromRequestParts<ApiState> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let client = ScimClient::from_request_parts(parts, state).await?;
        let route = parts.extensions.get::<MatchedPath>();
        client.check(route.map_or(Scopes::ALL, |route| scopes::needed(route.as_str(), &parts.method)))?;
        let Ok(base) = BaseUrl::from_request_parts(parts, state).await;
        let query = Query::parse(parts.uri.query())?;
        let rules = state.rules_of(client.tenant).await?;
        // The edge gives every request an id; without one the request is still served.
        let request_id =
            parts.extensions.get::<RequestId>().cloned().unwrap_or_else(|| RequestId::from_uuid(state.ids().new_id()));
        let (if_match, if_none_match) = (header(parts, &IF_MATCH), header(parts, &IF_NONE_MATCH));
        Ok(Self { client, base, query, rules, if_match, if_none_match, request_id })
    }
}

/// A header that may be given several times, as one list. What cannot be read names no version.
fn header(parts: &Parts, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> = parts.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// The id in the URL (of a resource, a schema, a resource type), as the client wrote it.
#[derive(Debug)]
pub(super) struct IdInPath(String);

impl IdInPath {
    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The resource that the id can name. Ids are compared exactly (RFC 7643 §3.1), so another spelling of the same
    /// UUID names nothing.
    ///
    /// # Errors
    /// 404: a text that cannot be an id is an id that does not exist (Okta's test suite sends digits).
    pub(super) fn resolve(&self, rt: &ResourceType) -> Result<ResourceId, Error> {
        let id = Uuid::try_parse(&self.0).ok();
        let exact = id.filter(|id| id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == self.0.as_str());
        exact.map(ResourceId).ok_or_else(|| self.not_found(rt))
    }

    /// 404 for this id.
    pub(super) fn not_found(&self, rt: &ResourceType) -> Error {
        Error::not_found(&rt.name, &self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Ok(Path(id)) = Path::<String>::from_request_parts(parts, &state).await else {
            // What is not UTF-8 after percent-decoding is an id like any other that does not exist.
            let last = parts.uri.path().trim_end_matches('/').rsplit('/').next();
            return Ok(Self(last.unwrap_or_default().to_owned()));
        };
        Ok(Self(id))
    }
}

/// The same error, with the resource that it is about in front.
pub(super) fn about(rt: &ResourceType, who: &str, mut error: Error) -> Error {
    error.detail = format!("{} {}: {}", rt.name, quoted(who), error.detail);
    error
}

/// Says whom an error in the body of a POST is about. The body is all that is known of them; without a name there
/// is nobody to name.
pub(super) fn about_new(rt: &ResourceType, name: &str, body: &Value, error: Error) -> Error {
    let named = body.as_object().and_then(|map| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)));
    match named.and_then(|(_, value)| value.as_str()) {
        Some(who) => about(rt, who, error),
        None => error,
    }
}
