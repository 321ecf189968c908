//! POST.
use serde_json::Value;
use crate::{error::Error, profile::Profile, resource::Resource, schema::ResourceType};
pub(super) fn parse(_rt: &ResourceType, body: &Value, _profile: &Profile) -> Result<Resource, Error> {
    body.as_object().cloned().map(Resource::from_map).ok_or_else(|| Error::invalid_syntax("not an object"))
}
