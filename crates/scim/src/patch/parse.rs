//! Reading.
use serde_json::Value;
use crate::{error::Error, patch::PatchRequest, profile::Profile, schema::ResourceType};
pub(super) fn parse(_rt: &ResourceType, _body: &Value, _profile: &Profile) -> Result<PatchRequest, Error> { Ok(PatchRequest::default()) }
