//! What a client is told when the store could not write: which attribute, which value, what to do.

use crate::error::ApiError;
use crate::scim::call::IdInPath;
use rollcall_scim::Error;
use rollcall_scim::error::quoted;
use rollcall_scim::schema::ResourceType;
use rollcall_store::write::UpdateError;
use rollcall_store::{StoreError, Uniqueness};

/// A resource could not be created. `name` is the unique value that the client wanted.
pub(super) fn create_failed(error: StoreError, rt: &ResourceType, name: Option<&str>) -> ApiError {
    match error {
        StoreError::Conflict(uniqueness) => taken(rt, uniqueness, name).into(),
        error => error.into(),
    }
}

/// A resource could not be changed or deleted. `name` is the unique value that the client wanted.
pub(super) fn change_failed(
    error: UpdateError<Error>,
    rt: &ResourceType,
    id: &IdInPath,
    name: Option<&str>,
) -> ApiError {
    match error {
        UpdateError::NotFound => id.not_found(rt).into(),
        UpdateError::Refused(error) => error.into(),
        UpdateError::Store(error) => create_failed(error, rt, name),
    }
}

fn taken(rt: &ResourceType, uniqueness: Uniqueness, name: Option<&str>) -> Error {
    let attribute = match uniqueness {
        Uniqueness::UserName => "userName",
        _ => "displayName",
    };
    let (value, kind) = (quoted(name.unwrap_or_default()), &rt.name);
    Error::uniqueness(format!(
        "another {kind} has the {attribute} {value}, or one that differs from it in case alone; choose another \
         {attribute}, or find that {kind} with the filter {attribute} eq and update it"
    ))
}
