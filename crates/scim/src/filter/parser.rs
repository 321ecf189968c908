//! The grammar.
use crate::{error::Error, filter::Filter, profile::Profile, schema::ResourceType};
pub(super) fn parse(text: &str, _rt: &ResourceType, _profile: &Profile) -> Result<Filter, Error> {
    Err(Error::invalid_filter(format!("cannot read {text}")))
}
