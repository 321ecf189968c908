//! From our attributes to the body of a creation or an update.
//!
//! Clearing (page `user-information-update`): only the manager has a documented way, naming the field in
//! `force_update_fields` without sending it. Texts are cleared by an empty one, switches by *no*.

use super::enterprise::DINGTALK;
use super::extension::CustomFields;
use super::placement::{Placement, Wanted};
use crate::fit;
use crate::settings::Settings;
use crate::wire::account::{Password, User, UserBody};
use rollcall_provisioning::connector::ConnectorError;
use rollcall_provisioning::entity;
use rollcall_provisioning::plan::InitialPassword;
use serde_json::Value;

/// The body of a call in the making.
pub(super) struct Draft<'a> {
    settings: &'a Settings,
    body: UserBody,
    units: Option<Vec<i64>>,
    custom: CustomFields,
    placement: Wanted,
}

impl<'a> Draft<'a> {
    pub(super) fn new(settings: &'a Settings, userid: Option<&str>) -> Self {
        let body = UserBody { userid: userid.map(str::to_owned), ..UserBody::default() };
        Self { settings, body, units: None, custom: CustomFields::default(), placement: Wanted::default() }
    }

    pub(super) fn set(&mut self, name: &str, value: &Value) -> Result<(), ConnectorError> {
        if let Some(field) = name.strip_prefix(entity::EXTENSION_PREFIX) {
            return self.custom.set(field, value);
        }
        let body = &mut self.body;
        let (attribute, field) = match name {
            entity::NAME => (entity::NAME, &mut body.name),
            entity::EMAIL => (entity::EMAIL, &mut body.email),
            entity::ORG_EMAIL => (entity::ORG_EMAIL, &mut body.org_email),
            entity::TELEPHONE => (entity::TELEPHONE, &mut body.telephone),
            entity::TITLE => (entity::TITLE, &mut body.title),
            entity::JOB_NUMBER => (entity::JOB_NUMBER, &mut body.job_number),
            entity::WORK_PLACE => (entity::WORK_PLACE, &mut body.work_place),
            entity::REMARK => (entity::REMARK, &mut body.remark),
            entity::MANAGER => (entity::MANAGER, &mut body.manager_userid),
            entity::NICKNAME => (entity::NICKNAME, &mut body.nickname),
            entity::LOGIN_ID => (entity::LOGIN_ID, &mut body.login_id),
            _ => return self.set_other(name, value),
        };
        *field = Some(fit::text(attribute, value)?);
        Ok(())
    }

    /// Whatever is not just a text.
    fn set_other(&mut self, name: &str, value: &Value) -> Result<(), ConnectorError> {
        let body = &mut self.body;
        match name {
            entity::MOBILE => {
                body.mobile = Some(mobile_to_send(self.settings, &fit::text(entity::MOBILE, value)?));
            }
            entity::EXCLUSIVE_MOBILE => {
                let number = fit::text(entity::EXCLUSIVE_MOBILE, value)?;
                body.exclusive_mobile = Some(with_country(&number));
            }
            entity::HIRED_DATE => body.hired_date = Some(fit::integer(entity::HIRED_DATE, value)?),
            entity::HIDE_MOBILE => body.hide_mobile = Some(fit::switch(entity::HIDE_MOBILE, value)?),
            entity::SENIOR_MODE => body.senior_mode = Some(fit::switch(entity::SENIOR_MODE, value)?),
            entity::ORG_UNITS => {
                let units = fit::departments(entity::ORG_UNITS, value)?;
                body.dept_id_list = Some(joined(&units));
                self.units = Some(units);
            }
            entity::ORG_UNIT_ORDERS => self.placement.orders(value)?,
            entity::ORG_UNIT_TITLES => self.placement.titles(value)?,
            entity::PRIMARY_ORG_UNIT => self.placement.primary(value)?,
            // The schema has refused every other name before.
            _ => {}
        }
        Ok(())
    }

    pub(super) fn clear(&mut self, name: &str) -> Result<(), ConnectorError> {
        if let Some(field) = name.strip_prefix(entity::EXTENSION_PREFIX) {
            return self.custom.clear(field);
        }
        match name {
            entity::MANAGER => self.body.force("manager_userid"),
            entity::HIDE_MOBILE => self.body.hide_mobile = Some(false),
            entity::SENIOR_MODE => self.body.senior_mode = Some(false),
            entity::ORG_UNIT_TITLES => self.placement.no_titles(),
            _ => return self.set(name, &Value::String(String::new())),
        }
        Ok(())
    }

    pub(super) fn clears_custom_fields(&self) -> bool {
        self.custom.clears()
    }

    /// Whether the call can only be made by somebody who knows what the person has now.
    pub(super) fn needs_present(&self) -> bool {
        self.custom.clears() || !self.placement.is_empty()
    }

    /// Makes it the body of an enterprise account of this kind.
    pub(super) fn enterprise(&mut self, kind: &str, password: Option<&InitialPassword>) -> Result<(), ConnectorError> {
        self.body.exclusive_account = Some(true);
        self.body.exclusive_account_type = Some(kind.to_owned());
        if kind == DINGTALK {
            self.body.init_password = Some(Password(fit::password(password)?.clone()));
            self.body.send_password_to_user = Some(self.settings.send_initial_password);
        }
        Ok(())
    }

    /// The body of a creation: all custom fields, and posts in the departments that the person gets.
    pub(super) fn for_creation(mut self) -> Result<UserBody, ConnectorError> {
        let placement = Placement::in_departments(self.units.unwrap_or_default());
        placement.write(&self.placement, &mut self.body)?;
        self.custom.write_all(&mut self.body)?;
        Ok(self.body)
    }

    /// The body of an update that needs nothing but itself.
    pub(super) fn alone(mut self) -> Result<UserBody, ConnectorError> {
        self.custom.write_some(&mut self.body)?;
        Ok(self.body)
    }

    /// The body of an update of this person as they are.
    pub(super) fn over(mut self, present: &User) -> Result<UserBody, ConnectorError> {
        if self.custom.clears() {
            self.custom.write_over(&present.extension, &mut self.body)?;
        } else {
            self.custom.write_some(&mut self.body)?;
        }
        let mut placement = Placement::of(present);
        if let Some(units) = self.units {
            placement.moved_to(units);
        }
        placement.write(&self.placement, &mut self.body)?;
        if present.exclusive_account == Some(true) {
            // Page `update-dedicated-accounts-information`: another name for the sign-in, the departments always, and a
            // mailbox is only unbound by name.
            self.body.new_login_id = self.body.login_id.take();
            self.body.dept_id_list.get_or_insert_with(|| present.dept_id_list.join(","));
            if self.body.org_email.as_deref() == Some("") {
                self.body.force("org_email");
            }
        }
        Ok(self.body)
    }
}

/// Ids as `dept_id_list` wants them.
pub(super) fn joined(ids: &[i64]) -> String {
    ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

/// A number as DingTalk wants it: in an organisation that is registered outside the mainland, mainland numbers have
/// their country code too (page `user-information-creation`).
pub(super) fn mobile_to_send(settings: &Settings, mobile: &str) -> String {
    if settings.registered_abroad { with_country(mobile) } else { mobile.to_owned() }
}

/// A number that always has its country code (page `create-an-sso-account`).
fn with_country(mobile: &str) -> String {
    if mobile.is_empty() || mobile.starts_with('+') { mobile.to_owned() } else { format!("+86-{mobile}") }
}
