//! The resource types every tenant starts with.

use super::{Extension, ResourceType, dingtalk, enterprise, group, user};

/// People, with the enterprise extension and the read-only DingTalk extension.
pub fn user_type() -> ResourceType {
    ResourceType::new("User", "/Users", "People of the organisation", user::schema())
        .with_extension(Extension::optional(enterprise::schema()))
        .with_extension(Extension::optional(dingtalk::schema()))
}

/// Groups of people and of other groups.
pub fn group_type() -> ResourceType {
    ResourceType::new("Group", "/Groups", "Groups of people and groups", group::schema())
}
