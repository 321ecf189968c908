//! `.search` (RFC 7644 §3.4.3): a query in the body of a POST.

use crate::error::ApiError;
use crate::scim::call::Call;

/// `POST /.search`, `POST /Users/.search`, `POST /Groups/.search`.
pub(super) async fn search(_: Call) -> ApiError {
    ApiError::NotImplemented(
        "/.search is not supported; send the same filter as a query parameter of GET /Users or GET /Groups",
    )
}
