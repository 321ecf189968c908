//! The core Group (RFC 7643 §4.2, errata 5368 and 6011).

use super::{Attribute, Schema, Storage, Uniqueness, sub};

/// URN of the core Group schema.
pub const URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The core Group schema. `displayName` is required and unique: Entra finds groups by it, and duplicates would
/// be linked at random. A member's parts cannot change, since they say who the member is; members are kept
/// apart because there can be a hundred thousand of them.
pub fn schema() -> Schema {
    let members = vec![
        Attribute::string(sub::VALUE, "Identifier of the member.").case_exact().required().immutable(),
        Attribute::reference(sub::REF, "URL of the member.", &["User", "Group"]).immutable(),
        Attribute::string(sub::TYPE, "What the member is; found by its identifier if left out.")
            .canonical(&["User", "Group"])
            .immutable(),
        Attribute::string("display", "Name of the member for people, which is the member's own.").read_only(),
    ];
    Schema::new(
        URN,
        "Group",
        "A named set of people and groups",
        vec![
            Attribute::string("displayName", "Name of the group; unique in the tenant whatever its case.")
                .required()
                .unique(Uniqueness::Server),
            Attribute::complex("members", "Who belongs to the group.", members).multi().storage(Storage::Apart),
        ],
    )
}
