//! The columns of `users` that clients look people up by, computed from the resource.

use crate::StoreError;
use crate::filter_sql::clip;
use crate::manager::{ManagerKey, ManagerReading, manager};
use rollcall_scim::fold::fold;
use rollcall_scim::path::AttributePath;
use rollcall_scim::resource::Resource;
use rollcall_scim::schema::{enterprise, sub};
use serde_json::Value;

/// Copies of single attributes, in the form in which they are compared.
pub(super) struct UserKeys {
    pub(super) user_name: String,
    pub(super) external_id: Option<String>,
    pub(super) active: bool,
    pub(super) display_name: Option<String>,
    pub(super) emails: Vec<String>,
    pub(super) employee_number: Option<String>,
    pub(super) manager: Option<String>,
    /// `None` where `manager` is an id.
    pub(super) manager_key: Option<ManagerKey>,
}

impl UserKeys {
    /// The columns of a resource whose manager is read so.
    pub(super) fn of(resource: &Resource, reading: ManagerReading) -> Result<Self, StoreError> {
        let user_name = resource
            .string("userName")
            .ok_or(StoreError::InvalidInput { what: "user without a userName", source: None })?;
        let mut emails: Vec<String> = resource
            .values("emails")
            .iter()
            .filter_map(|email| email.get(sub::VALUE).and_then(Value::as_str))
            .map(|email| clip(&fold(email)).to_owned())
            .collect();
        emails.sort_unstable();
        emails.dedup();
        Ok(Self {
            user_name: fold(user_name),
            external_id: resource.string("externalId").map(|id| clip(id).to_owned()),
            active: is_active(resource),
            display_name: resource.string("displayName").map(|name| clip(&fold(name)).to_owned()),
            emails,
            employee_number: text(resource, &AttributePath::extension(enterprise::URN, "employeeNumber"))
                .map(|number| clip(&fold(number)).to_owned()),
            manager: manager(resource).map(|id| clip(id).to_owned()),
            manager_key: manager(resource).and_then(|manager| ManagerKey::of(manager, reading)),
        })
    }
}

/// Only an explicit `false` suspends somebody (RFC 7643 §4.1.1).
pub(super) fn is_active(resource: &Resource) -> bool {
    resource.boolean("active").unwrap_or(true)
}

fn text<'a>(resource: &'a Resource, path: &AttributePath) -> Option<&'a str> {
    resource.get(path)?.as_str()
}
