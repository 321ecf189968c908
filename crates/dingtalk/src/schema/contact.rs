//! External contacts: pages `add-enterprise-external-contacts`, `update-enterprise-external-contacts`. Labels and
//! follower are needed too, but the settings of a target can name them for everybody.

use super::{OPTIONAL, REQUIRED};
use rollcall_provisioning::connector::{AttributeSpec, Clearing, Form, ValueType};
use rollcall_provisioning::entity;

pub(super) static CONTACT: &[AttributeSpec] = &[
    // By this an entity of a person is known to be a contact.
    AttributeSpec { name: entity::ACCOUNT_KIND, create_only: true, value_type: ValueType::Derived, ..OPTIONAL },
    AttributeSpec { name: entity::NAME, sensitive: true, ..REQUIRED },
    AttributeSpec {
        name: entity::MOBILE,
        create_only: true,
        sensitive: true,
        unique: true,
        form: Form::Phone,
        ..REQUIRED
    },
    AttributeSpec { name: entity::TITLE, ..OPTIONAL },
    // DingTalk calls it the address.
    AttributeSpec { name: entity::WORK_PLACE, sensitive: true, ..OPTIONAL },
    AttributeSpec { name: entity::REMARK, sensitive: true, ..OPTIONAL },
    AttributeSpec { name: entity::COMPANY, ..OPTIONAL },
    AttributeSpec { name: entity::FOLLOWER, clearing: Clearing::Impossible, ..OPTIONAL },
    AttributeSpec { name: entity::LABELS, value_type: ValueType::Wholes, clearing: Clearing::Impossible, ..OPTIONAL },
];
