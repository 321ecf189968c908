//! `/Me` (RFC 7644 §3.11): the person behind the token. The clients of a provisioning server are machines.

use crate::error::ApiError;
use crate::scim::call::Call;

/// Any method at `/Me`.
pub(super) async fn me(_: Call) -> ApiError {
    ApiError::NotImplemented(
        "/Me is not supported, because the tokens of this server speak for sources and not for people; use /Users/{id}",
    )
}
