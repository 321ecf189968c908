//! What the URL of an operation names.

use crate::error::ApiError;
use crate::rest::params::Params;
use crate::services::sources::no_source;
use crate::services::targets::no_target;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, ResourceId, ResourceKind, SourceId, TargetId};
use rollcall_scim::error::quoted;
use uuid::Uuid;

/// What the URL of an operation names that takes no parameters.
pub(super) struct InPath<T>(pub(super) T);

/// What the URL of an operation names that takes parameters.
pub(super) struct Id<T>(pub(super) T);

/// Which plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlanId(pub(super) Uuid);

/// Which override.
#[derive(Clone, Copy, Debug)]
pub(super) struct OverrideId(pub(super) i64);

/// Which group, at which target; of an operation that takes no parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct GroupAt {
    pub(super) target: TargetId,
    pub(super) group: ResourceId,
}

/// Which trip of a guard, at which target; of an operation that takes no parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct TripAt {
    pub(super) target: TargetId,
    pub(super) trip: Uuid,
}

impl<S: Send + Sync> FromRequestParts<S> for TripAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (target, trip) = two(parts, state).await?;
        let trip = Uuid::try_parse(&trip).map_err(|_| missing("trip", &trip));
        Ok(Self { target: TargetId::by_text(target)?, trip: trip? })
    }
}

/// The two names in the URL of an operation that takes no parameters.
async fn two<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<(String, String), ApiError> {
    Params::from_request_parts(parts, state).await?.end()?;
    let texts = Path::<(String, String)>::from_request_parts(parts, state).await;
    Ok(texts.map_or_else(|_| ("?".to_owned(), "?".to_owned()), |Path(texts)| texts))
}

impl<S: Send + Sync> FromRequestParts<S> for GroupAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let (target, group) = two(parts, state).await?;
        let group = Uuid::try_parse(&group).map(ResourceId).map_err(|_| missing("group", &group));
        Ok(Self { target: TargetId::by_text(target)?, group: group? })
    }
}

/// Which link of a target.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkAt {
    pub(super) target: TargetId,
    pub(super) kind: ResourceKind,
    pub(super) resource: ResourceId,
}

impl<S: Send + Sync> FromRequestParts<S> for LinkAt {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let unreadable = || ("?".to_owned(), "?".to_owned(), "?".to_owned());
        let texts = Path::<(String, String, String)>::from_request_parts(parts, state).await;
        let (target, kind, resource) = texts.map_or_else(|_| unreadable(), |Path(texts)| texts);
        let target = TargetId::by_text(target)?;
        let kind = ResourceKind::parse(&kind).ok_or_else(|| missing("kind of resource", &kind))?;
        let resource = Uuid::try_parse(&resource).map(ResourceId).map_err(|_| missing("link of", &resource))?;
        Ok(Self { target, kind, resource })
    }
}

/// Something that a URL can name.
pub(super) trait Named: Sized {
    /// What the text names.
    ///
    /// # Errors
    /// [`ApiError::NotFound`]: a text that cannot be a name is the name of something that does not exist.
    fn by_text(text: String) -> Result<Self, ApiError>;
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Params::from_request_parts(parts, state).await?.end()?;
        let Id(named) = Id::from_request_parts(parts, state).await?;
        Ok(Self(named))
    }
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // Not even UTF-8 after percent-decoding.
        let text = Path::<String>::from_request_parts(parts, state).await;
        T::by_text(text.map_or_else(|_| "?".to_owned(), |Path(text)| text)).map(Self)
    }
}

/// A URN.
impl Named for String {
    fn by_text(text: String) -> Result<Self, ApiError> {
        Ok(text)
    }
}

/// The number of a version of the mapping.
impl Named for i32 {
    fn by_text(text: String) -> Result<Self, ApiError> {
        text.parse().map_err(|_| missing("version of the mapping", &text))
    }
}

impl Named for SourceId {
    fn by_text(text: String) -> Result<Self, ApiError> {
        Uuid::try_parse(&text).map(Self).map_err(|_| no_source(&text))
    }
}

impl Named for CredentialId {
    fn by_text(text: String) -> Result<Self, ApiError> {
        Uuid::try_parse(&text).map(Self).map_err(|_| missing("live credential", &text))
    }
}

impl Named for OauthClientId {
    fn by_text(text: String) -> Result<Self, ApiError> {
        Uuid::try_parse(&text).map(Self).map_err(|_| missing("live OAuth client", &text))
    }
}

impl Named for ResourceId {
    fn by_text(text: String) -> Result<Self, ApiError> {
        Uuid::try_parse(&text).map(Self).map_err(|_| missing("user", &text))
    }
}

impl Named for TargetId {
    fn by_text(text: String) -> Result<Self, ApiError> {
        Uuid::try_parse(&text).map(Self).map_err(|_| no_target(&text))
    }
}

impl Named for PlanId {
    fn by_text(text: String) -> Result<Self, ApiError> {
        Uuid::try_parse(&text).map(Self).map_err(|_| missing("plan", &text))
    }
}

impl Named for OverrideId {
    fn by_text(text: String) -> Result<Self, ApiError> {
        text.parse().map(Self).map_err(|_| missing("override", &text))
    }
}

fn missing(what: &str, text: &str) -> ApiError {
    ApiError::NotFound { what: format!("the {what} {}", quoted(text)) }
}
