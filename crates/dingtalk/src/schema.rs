//! What DingTalk allows for each attribute, as data.
//!
//! Clearing (page `user-information-update`): only the manager has a documented way, naming the field in
//! `force_update_fields` without sending it. Texts are cleared by sending an empty string, as other systems
//! do; DingTalk documents no outcome, so a reader has to look whether it worked.

mod chat;
mod contact;
mod role;

pub(crate) use chat::WithNormalChats;

use crate::account::{MANAGED_KIND, SSO_KIND};
use rollcall_provisioning::connector::{AttributeSpec, Clearing, Form, TargetSchema, ValueType};
use rollcall_provisioning::entity::{self, EntityKind};
use serde_json::Value;

/// The attributes of DingTalk's people and departments that Rollcall keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct DingTalkSchema;

impl TargetSchema for DingTalkSchema {
    fn attributes(&self, kind: EntityKind) -> &[AttributeSpec] {
        of(kind)
    }

    fn blank(&self, kind: EntityKind, name: &str) -> Option<&Value> {
        blank(kind, name)
    }
}

fn blank(kind: EntityKind, name: &str) -> Option<&'static Value> {
    let switches: &[&str] = match kind {
        EntityKind::Account => &[entity::HIDE_MOBILE, entity::SENIOR_MODE],
        EntityKind::OrgUnit => &[entity::HIDDEN, entity::RESTRICTED],
        EntityKind::Role | EntityKind::Chat | EntityKind::Contact => &[],
    };
    switches.contains(&name).then_some(&Value::Bool(false))
}

fn of(kind: EntityKind) -> &'static [AttributeSpec] {
    match kind {
        EntityKind::Account => ACCOUNT,
        EntityKind::OrgUnit => ORG_UNIT,
        EntityKind::Role => role::ROLE,
        EntityKind::Chat => chat::CHAT,
        EntityKind::Contact => contact::CONTACT,
    }
}

const OPTIONAL: AttributeSpec = AttributeSpec::OPTIONAL;
const REQUIRED: AttributeSpec = AttributeSpec { required: true, clearing: Clearing::Impossible, ..OPTIONAL };
const UNCLEARABLE: AttributeSpec = AttributeSpec { clearing: Clearing::Impossible, ..OPTIONAL };

/// Pages `user-information-creation` and `user-information-update`.
static ACCOUNT: &[AttributeSpec] = &[
    AttributeSpec { name: entity::NAME, max_chars: Some(80), sensitive: true, ..REQUIRED },
    // "Cannot be changed" is said by page `address-book-employee-operations` and error 41054.
    // Enterprise accounts need none (page `create-an-enterprise-account`); they have one of their own kind.
    AttributeSpec {
        name: entity::MOBILE,
        create_only: true,
        sensitive: true,
        unique: true,
        account_kinds: &["normal"],
        ..REQUIRED
    },
    AttributeSpec { name: entity::EMAIL, max_chars: Some(50), sensitive: true, unique: true, ..OPTIONAL },
    AttributeSpec { name: entity::TELEPHONE, max_chars: Some(50), sensitive: true, unique: true, ..OPTIONAL },
    AttributeSpec { name: entity::TITLE, max_chars: Some(200), ..OPTIONAL },
    AttributeSpec { name: entity::JOB_NUMBER, max_chars: Some(50), ..OPTIONAL },
    AttributeSpec { name: entity::WORK_PLACE, max_chars: Some(100), ..OPTIONAL },
    AttributeSpec { name: entity::ORG_UNITS, value_type: ValueType::Derived, ..REQUIRED },
    AttributeSpec { name: entity::MANAGER, ..OPTIONAL },
    // It takes effect only where the organisation has DingTalk's mail.
    AttributeSpec {
        name: entity::ORG_EMAIL,
        max_chars: Some(100),
        sensitive: true,
        unique: true,
        form: Form::Mail,
        ..OPTIONAL
    },
    AttributeSpec { name: entity::REMARK, max_chars: Some(2000), sensitive: true, ..OPTIONAL },
    // A number cannot be empty, and no page says how it goes.
    AttributeSpec { name: entity::HIRED_DATE, value_type: ValueType::Whole, ..UNCLEARABLE },
    AttributeSpec { name: entity::HIDE_MOBILE, value_type: ValueType::Flag, ..OPTIONAL },
    AttributeSpec { name: entity::SENIOR_MODE, value_type: ValueType::Flag, ..OPTIONAL },
    // All of them together have at most 2000 characters; the fields themselves are made in the admin console.
    AttributeSpec { name: entity::EXTENSION_PREFIX, max_chars: Some(2000), sensitive: true, ..OPTIONAL },
    AttributeSpec { name: entity::ORG_UNIT_TITLES, value_type: ValueType::Derived, ..OPTIONAL },
    // Everybody has an order and a main department: DingTalk gives them to whoever is given none.
    AttributeSpec { name: entity::ORG_UNIT_ORDERS, value_type: ValueType::Derived, ..UNCLEARABLE },
    AttributeSpec { name: entity::PRIMARY_ORG_UNIT, value_type: ValueType::Derived, ..UNCLEARABLE },
    // Enterprise accounts: pages `dedicated-account-overview`, `update-dedicated-accounts-information`.
    AttributeSpec { name: entity::ACCOUNT_KIND, create_only: true, value_type: ValueType::Derived, ..UNCLEARABLE },
    AttributeSpec { name: entity::ENABLED, value_type: ValueType::Derived, account_kinds: ENTERPRISE, ..UNCLEARABLE },
    AttributeSpec {
        name: entity::LOGIN_ID,
        sensitive: true,
        unique: true,
        account_kinds: &[MANAGED_KIND],
        needed_by: &[MANAGED_KIND],
        ..UNCLEARABLE
    },
    AttributeSpec { name: entity::NICKNAME, sensitive: true, account_kinds: ENTERPRISE, ..OPTIONAL },
    AttributeSpec {
        name: entity::EXCLUSIVE_MOBILE,
        sensitive: true,
        form: Form::Phone,
        account_kinds: ENTERPRISE,
        ..OPTIONAL
    },
];

/// The kinds of account that belong to the organisation and not to the person.
const ENTERPRISE: &[&str] = &[SSO_KIND, MANAGED_KIND];

/// Pages `address-book-creation-department-established-department` and `address-book-update-department`.
static ORG_UNIT: &[AttributeSpec] = &[
    // A name is taken under its parent (60021).
    AttributeSpec { name: entity::NAME, max_chars: Some(64), unique: true, form: Form::Without("-,，"), ..REQUIRED },
    AttributeSpec { name: entity::PARENT, unique: true, ..REQUIRED },
    // It can be set again later, which a department needs that was found by its name.
    AttributeSpec { name: entity::SOURCE_IDENTIFIER, clearing: Clearing::Impossible, ..OPTIONAL },
    // Page `address-book-update-department`: the field is named in `force_update_fields` and not sent.
    AttributeSpec { name: entity::HEADS, value_type: ValueType::Derived, ..OPTIONAL },
    AttributeSpec { name: entity::ORDER, value_type: ValueType::Whole, ..UNCLEARABLE },
    AttributeSpec { name: entity::HIDDEN, value_type: ValueType::Flag, ..OPTIONAL },
    AttributeSpec { name: entity::RESTRICTED, value_type: ValueType::Flag, ..OPTIONAL },
];
