//! What must hold of any input, whoever makes it up: the fuzz targets do, and so do the ordinary tests, which also try
//! every input that ever broke something (`inputs`).

pub(crate) mod bulk;
pub(crate) mod canonical;
pub(crate) mod filter;
pub(crate) mod patch;
pub(crate) mod path;

use rollcall_scim::schema::builtin::{group_type, user_type};
use rollcall_scim::schema::{Attribute, Extension, Kind, ResourceType, Schema};

/// URN of an extension as a tenant could define it.
pub(crate) const CUSTOM: &str = "urn:example:params:scim:schemas:extension:badge:2.0:User";

/// People with a tenant's own extension, of every type and mutability that the built-in schemas lack.
pub(crate) fn custom_users() -> ResourceType {
    let schema = Schema::new(
        CUSTOM,
        "Badge",
        "A badge",
        vec![
            Attribute::string("badgeId", "Number of the badge.").immutable(),
            Attribute::new("level", Kind::Integer, "Access level."),
            Attribute::new("weight", Kind::Decimal, "Weight."),
            Attribute::new("issuedAt", Kind::DateTime, "When it was issued."),
            Attribute::string("tags", "Tags.").multi(),
            Attribute::string("door", "Door.").required(),
        ],
    );
    user_type().with_extension(Extension::optional(schema))
}

fn types() -> [ResourceType; 2] {
    [custom_users(), group_type()]
}
