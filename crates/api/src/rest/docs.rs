//! The refusals that every REST operation may answer with, for the OpenAPI document.

use crate::refusal::Problem;
use utoipa::IntoResponses;

/// Refusals of a REST request.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum Refusals {
    /// A parameter cannot be used.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The token is missing or not valid.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Problem),
    /// The token is not one of the REST interface.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is no such thing.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The database cannot be reached, or the request took too long: come again after `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// The refusal of a change that something else stands in the way of.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum ConflictRefusal {
    /// Something else stands in the way, such as one that is there already; the detail says what.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
}

/// The refusal of an undo of what was never done.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum UndoRefusal {
    /// Nothing was done at the target that the request names (`nothing_to_undo`).
    #[response(status = 422, content_type = "application/problem+json")]
    Nothing(Problem),
}

/// The refusal of a decision about a group.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum DecisionRefusal {
    /// The group cannot become that (`decision_invalid`): `errors` names everything that is wrong.
    #[response(status = 422, content_type = "application/problem+json")]
    Unfit(Problem),
}

/// The refusals of a change to the mapping.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it only describes answers")]
pub(super) enum MappingRefusals {
    /// Another version counts than the one in `If-Match`: read it, and base the change on it.
    #[response(status = 412, content_type = "application/problem+json")]
    Outdated(Problem),
    /// The document cannot be used (`mapping_invalid`), or its examples fail (`mapping_examples_fail`): `errors` names
    /// everything that is wrong. Nothing was saved.
    #[response(status = 422, content_type = "application/problem+json")]
    Unfit(Problem),
}
