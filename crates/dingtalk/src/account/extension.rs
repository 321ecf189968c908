//! The fields that an organisation made itself.
//!
//! An update overwrites all of them unless `ext_attrs_update_mode` is 1 (page `user-information-update`). To clear one,
//! all others are sent in mode 0, so they must be known.

use crate::fit;
use crate::wire::account::UserBody;
use rollcall_provisioning::connector::ConnectorError;
use rollcall_provisioning::entity::EXTENSION_PREFIX;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The most characters of all custom fields together (page `user-information-creation`).
const MOST_CHARS: usize = 2000;
const APPEND: u8 = 1;
const OVERWRITE: u8 = 0;

/// What becomes of custom fields.
#[derive(Default)]
pub(super) struct CustomFields {
    set: BTreeMap<String, String>,
    cleared: BTreeSet<String>,
}

impl CustomFields {
    pub(super) fn set(&mut self, field: &str, value: &Value) -> Result<(), ConnectorError> {
        let text = fit::text(EXTENSION_PREFIX, value)?;
        let field = fit::text(EXTENSION_PREFIX, &Value::String(field.to_owned()))?;
        if text.is_empty() {
            self.cleared.insert(field)
        } else {
            self.set.insert(field, text).is_none()
        };
        Ok(())
    }

    pub(super) fn clear(&mut self, field: &str) -> Result<(), ConnectorError> {
        self.cleared.insert(fit::text(EXTENSION_PREFIX, &Value::String(field.to_owned()))?);
        Ok(())
    }

    pub(super) fn clears(&self) -> bool {
        !self.cleared.is_empty()
    }

    /// All that a new person gets.
    pub(super) fn write_all(self, body: &mut UserBody) -> Result<(), ConnectorError> {
        if !self.set.is_empty() {
            body.extension = Some(text(&self.set)?);
        }
        Ok(())
    }

    /// Only those that are set; the others stay.
    pub(super) fn write_some(self, body: &mut UserBody) -> Result<(), ConnectorError> {
        if !self.set.is_empty() {
            body.extension = Some(text(&self.set)?);
            body.ext_attrs_update_mode = Some(APPEND);
        }
        Ok(())
    }

    /// All that remain of those that are there.
    pub(super) fn write_over(
        self,
        present: &BTreeMap<String, String>,
        body: &mut UserBody,
    ) -> Result<(), ConnectorError> {
        let kept = present.iter().filter(|(field, _)| !self.cleared.contains(*field));
        let mut all: BTreeMap<String, String> = kept.map(|(field, text)| (field.clone(), text.clone())).collect();
        all.extend(self.set);
        body.extension = Some(text(&all)?);
        body.ext_attrs_update_mode = Some(OVERWRITE);
        Ok(())
    }
}

/// The fields as JSON text, which is the documented form.
fn text(fields: &BTreeMap<String, String>) -> Result<String, ConnectorError> {
    let fields = fields.iter().map(|(field, text)| (field.clone(), Value::String(text.clone())));
    let text = Value::Object(fields.collect()).to_string();
    if text.chars().count() > MOST_CHARS {
        return Err(fit::unfit(EXTENSION_PREFIX, "too_long", "fields are longer than 2,000 characters together"));
    }
    Ok(text)
}
