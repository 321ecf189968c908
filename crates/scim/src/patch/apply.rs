//! Applying.
use crate::{error::Error, patch::{Context, PatchRequest, Patched}, resource::Resource, schema::ResourceType};
pub(super) fn apply(_rt: &ResourceType, current: &Resource, _request: &PatchRequest, _context: &Context<'_>) -> Result<Patched, Error> {
    Ok(Patched { resource: current.clone(), detached: Vec::new() })
}
