//! `/Bulk` (RFC 7644 §3.7): many operations in one request.

use crate::error::ApiError;
use crate::scim::call::Call;

/// `POST /Bulk`.
pub(super) async fn bulk(_: Call) -> ApiError {
    ApiError::NotImplemented("/Bulk is not supported; send one request for each operation")
}
