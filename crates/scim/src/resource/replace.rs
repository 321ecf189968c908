//! PUT.
use serde_json::Value;
use crate::{error::Error, profile::Profile, resource::Resource, schema::ResourceType};
pub(super) fn replace(rt: &ResourceType, _current: &Resource, body: &Value, profile: &Profile) -> Result<Resource, Error> {
    super::parse(rt, body, profile)
}
