//! The refusals that every SCIM operation may answer with, for the OpenAPI document.

use utoipa::{IntoResponses, ToSchema};

/// An error body (RFC 7644 §3.12).
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes what rollcall_scim::Error writes")]
pub(crate) struct ScimError {
    /// The URN of the error schema.
    schemas: Vec<String>,
    /// The HTTP status, as a string.
    #[schema(example = "409")]
    status: String,
    /// The keyword of RFC 7644 table 9, where there is one.
    #[schema(rename = "scimType", example = "uniqueness")]
    scim_type: Option<String>,
    /// What, whose, which attribute, what to do; ends with the request id.
    detail: String,
}

/// Refusals of a read.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum ReadRefusals {
    /// A parameter or the filter cannot be used.
    #[response(status = 400, content_type = "application/scim+json")]
    BadRequest(ScimError),
    /// The token is missing or not valid.
    #[response(status = 401, content_type = "application/scim+json")]
    Unauthenticated(ScimError),
    /// What the token allows does not cover this, or the address that the request comes from is not among the source's.
    #[response(status = 403, content_type = "application/scim+json")]
    Forbidden(ScimError),
    /// There is no such resource.
    #[response(status = 404, content_type = "application/scim+json")]
    NotFound(ScimError),
    /// The source calls faster than it may: come again after `Retry-After`.
    #[response(status = 429, content_type = "application/scim+json")]
    TooManyRequests(ScimError),
    /// The database cannot be reached, or the request took too long: come again after `Retry-After`.
    #[response(status = 503, content_type = "application/scim+json")]
    Unavailable(ScimError),
}

/// Refusals of a write.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum WriteRefusals {
    /// The body breaks a rule; nothing was changed.
    #[response(status = 400, content_type = "application/scim+json")]
    BadRequest(ScimError),
    /// The token is missing or not valid.
    #[response(status = 401, content_type = "application/scim+json")]
    Unauthenticated(ScimError),
    /// What the token allows does not cover this, or the address that the request comes from is not among the source's.
    #[response(status = 403, content_type = "application/scim+json")]
    Forbidden(ScimError),
    /// There is no such resource.
    #[response(status = 404, content_type = "application/scim+json")]
    NotFound(ScimError),
    /// The body has not arrived in time.
    #[response(status = 408, content_type = "application/scim+json")]
    BodyTooSlow(ScimError),
    /// A value that must be unique is taken.
    #[response(status = 409, content_type = "application/scim+json")]
    Conflict(ScimError),
    /// The version in `If-Match` is not the current one.
    #[response(status = 412, content_type = "application/scim+json")]
    PreconditionFailed(ScimError),
    /// The body is too large.
    #[response(status = 413, content_type = "application/scim+json")]
    TooLarge(ScimError),
    /// The body is of another media type.
    #[response(status = 415, content_type = "application/scim+json")]
    UnsupportedMediaType(ScimError),
    /// The source calls faster than it may: come again after `Retry-After`.
    #[response(status = 429, content_type = "application/scim+json")]
    TooManyRequests(ScimError),
    /// The database cannot be reached, or the request took too long: come again after `Retry-After`.
    #[response(status = 503, content_type = "application/scim+json")]
    Unavailable(ScimError),
}

/// Refusals of a search: those of a read, and those of a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum SearchRefusals {
    /// A member of the body or the filter cannot be used.
    #[response(status = 400, content_type = "application/scim+json")]
    BadRequest(ScimError),
    /// The token is missing or not valid.
    #[response(status = 401, content_type = "application/scim+json")]
    Unauthenticated(ScimError),
    /// What the token allows does not cover this, or the address that the request comes from is not among the source's.
    #[response(status = 403, content_type = "application/scim+json")]
    Forbidden(ScimError),
    /// The body has not arrived in time.
    #[response(status = 408, content_type = "application/scim+json")]
    BodyTooSlow(ScimError),
    /// The body is too large.
    #[response(status = 413, content_type = "application/scim+json")]
    TooLarge(ScimError),
    /// The body is of another media type.
    #[response(status = 415, content_type = "application/scim+json")]
    UnsupportedMediaType(ScimError),
    /// The source calls faster than it may: come again after `Retry-After`.
    #[response(status = 429, content_type = "application/scim+json")]
    TooManyRequests(ScimError),
    /// The database cannot be reached, or the request took too long: come again after `Retry-After`.
    #[response(status = 503, content_type = "application/scim+json")]
    Unavailable(ScimError),
}

/// Refusals of a discovery document.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum DiscoveryRefusals {
    /// A parameter cannot be used.
    #[response(status = 400, content_type = "application/scim+json")]
    BadRequest(ScimError),
    /// A token was sent, and it is not valid.
    #[response(status = 401, content_type = "application/scim+json")]
    Unauthenticated(ScimError),
    /// Discovery documents cannot be filtered; or the address that the request comes from is not among the source's.
    #[response(status = 403, content_type = "application/scim+json")]
    Forbidden(ScimError),
    /// The source calls faster than it may: come again after `Retry-After`.
    #[response(status = 429, content_type = "application/scim+json")]
    TooManyRequests(ScimError),
    /// The database cannot be reached, or the request took too long: come again after `Retry-After`.
    #[response(status = 503, content_type = "application/scim+json")]
    Unavailable(ScimError),
}
