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
use rollcall_provisioning::connector::{AttributeSpec, Clearing, TargetSchema};
use rollcall_provisioning::entity::{self, EntityKind};
use serde_json::Value;

/// The attributes of DingTalk's people and departments that Rollcall keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct DingTalkSchema;

impl TargetSchema for DingTalkSchema {
    fn attributes(&self, kind: EntityKind) -> &[AttributeSpec] {
        of(kind)
    }

    fn attribute(&self, kind: EntityKind, name: &str) -> Option<&AttributeSpec> {
        attribute(kind, name)
    }

    /// A normal account needs a mobile number, an enterprise account none; one whose sign-in DingTalk keeps needs a name
    /// to sign in with (pages `create-an-sso-account`, `create-dingtalk-user-created-dedicated-account`).
    fn required(&self, kind: EntityKind, account_kind: Option<&str>) -> Vec<&'static str> {
        let always = of(kind).iter().filter(|spec| spec.required).map(|spec| spec.name);
        match (kind, account_kind) {
            (EntityKind::Account, Some(SSO_KIND)) => always.filter(|name| *name != entity::MOBILE).collect(),
            (EntityKind::Account, Some(MANAGED_KIND)) => {
                always.filter(|name| *name != entity::MOBILE).chain([entity::LOGIN_ID]).collect()
            }
            _ => always.collect(),
        }
    }

    fn blank(&self, kind: EntityKind, name: &str) -> Option<&Value> {
        blank(kind, name)
    }
}

fn attribute(kind: EntityKind, name: &str) -> Option<&'static AttributeSpec> {
    let custom = name.strip_prefix(entity::EXTENSION_PREFIX).filter(|field| !field.is_empty());
    match (kind, custom) {
        (EntityKind::Account, Some(_)) => Some(&CUSTOM_FIELD),
        _ => of(kind).iter().find(|spec| spec.name == name),
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

const OPTIONAL: AttributeSpec = AttributeSpec {
    name: "",
    required: false,
    max_chars: None,
    create_only: false,
    clearing: Clearing::Possible,
    sensitive: false,
    unique: false,
};
const REQUIRED: AttributeSpec = AttributeSpec { required: true, clearing: Clearing::Impossible, ..OPTIONAL };

/// Pages `user-information-creation` and `user-information-update`.
static ACCOUNT: &[AttributeSpec] = &[
    AttributeSpec { name: entity::NAME, max_chars: Some(80), sensitive: true, ..REQUIRED },
    // "Cannot be changed" is said by page `address-book-employee-operations` and error 41054.
    AttributeSpec { name: entity::MOBILE, create_only: true, sensitive: true, unique: true, ..REQUIRED },
    AttributeSpec { name: entity::EMAIL, max_chars: Some(50), sensitive: true, unique: true, ..OPTIONAL },
    AttributeSpec { name: entity::TELEPHONE, max_chars: Some(50), sensitive: true, unique: true, ..OPTIONAL },
    AttributeSpec { name: entity::TITLE, max_chars: Some(200), ..OPTIONAL },
    AttributeSpec { name: entity::JOB_NUMBER, max_chars: Some(50), ..OPTIONAL },
    AttributeSpec { name: entity::WORK_PLACE, max_chars: Some(100), ..OPTIONAL },
    AttributeSpec { name: entity::ORG_UNITS, ..REQUIRED },
    AttributeSpec { name: entity::MANAGER, ..OPTIONAL },
    AttributeSpec { name: entity::ORG_EMAIL, max_chars: Some(100), sensitive: true, unique: true, ..OPTIONAL },
    AttributeSpec { name: entity::REMARK, max_chars: Some(2000), sensitive: true, ..OPTIONAL },
    // A number cannot be empty, and no page says how it goes.
    AttributeSpec { name: entity::HIRED_DATE, clearing: Clearing::Impossible, ..OPTIONAL },
    AttributeSpec { name: entity::HIDE_MOBILE, ..OPTIONAL },
    AttributeSpec { name: entity::SENIOR_MODE, ..OPTIONAL },
    AttributeSpec { name: entity::ORG_UNIT_TITLES, ..OPTIONAL },
    // Everybody has an order and a main department: DingTalk gives them to whoever is given none.
    AttributeSpec { name: entity::ORG_UNIT_ORDERS, clearing: Clearing::Impossible, ..OPTIONAL },
    AttributeSpec { name: entity::PRIMARY_ORG_UNIT, clearing: Clearing::Impossible, ..OPTIONAL },
    // Enterprise accounts: pages `dedicated-account-overview`, `update-dedicated-accounts-information`.
    AttributeSpec { name: entity::ACCOUNT_KIND, create_only: true, clearing: Clearing::Impossible, ..OPTIONAL },
    AttributeSpec { name: entity::ENABLED, clearing: Clearing::Impossible, ..OPTIONAL },
    AttributeSpec { name: entity::LOGIN_ID, clearing: Clearing::Impossible, sensitive: true, unique: true, ..OPTIONAL },
    AttributeSpec { name: entity::NICKNAME, sensitive: true, ..OPTIONAL },
    AttributeSpec { name: entity::EXCLUSIVE_MOBILE, sensitive: true, ..OPTIONAL },
];

/// Any field that the organisation made itself; the limit is that of all of them together.
static CUSTOM_FIELD: AttributeSpec =
    AttributeSpec { name: entity::EXTENSION_PREFIX, max_chars: Some(2000), sensitive: true, ..OPTIONAL };

/// Pages `address-book-creation-department-established-department` and `address-book-update-department`.
static ORG_UNIT: &[AttributeSpec] = &[
    // A name is taken under its parent (60021).
    AttributeSpec { name: entity::NAME, max_chars: Some(64), unique: true, ..REQUIRED },
    AttributeSpec { name: entity::PARENT, unique: true, ..REQUIRED },
    // It can be set again later, which a department needs that was found by its name.
    AttributeSpec { name: entity::SOURCE_IDENTIFIER, clearing: Clearing::Impossible, ..OPTIONAL },
    AttributeSpec { name: entity::HEADS, ..OPTIONAL },
    AttributeSpec { name: entity::ORDER, clearing: Clearing::Impossible, ..OPTIONAL },
    AttributeSpec { name: entity::HIDDEN, ..OPTIONAL },
    AttributeSpec { name: entity::RESTRICTED, ..OPTIONAL },
];
