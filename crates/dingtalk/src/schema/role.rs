//! Roles: pages `address-book-add-role`, `update-the-character-name`, `add-a-role-group`.

use super::{OPTIONAL, REQUIRED};
use rollcall_provisioning::connector::{AttributeSpec, Clearing};
use rollcall_provisioning::entity;

pub(super) static ROLE: &[AttributeSpec] = &[
    // A name is taken once (34021); no page says how long it may be.
    AttributeSpec { name: entity::NAME, unique: true, ..REQUIRED },
    // No call moves a role to another group.
    AttributeSpec { name: entity::ROLE_GROUP, create_only: true, clearing: Clearing::Impossible, ..OPTIONAL },
];
