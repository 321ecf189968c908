//! Judging a resource.
use serde_json::Value;
use crate::{filter::Filter, schema::ResourceType};
pub(super) fn matches(_filter: &Filter, _rt: &ResourceType, _resource: &Value) -> bool { false }
pub(super) fn matches_element(_filter: &Filter, _rt: &ResourceType, _element: &Value) -> bool { false }
