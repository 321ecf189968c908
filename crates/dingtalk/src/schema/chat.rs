//! Group chats: pages `create-a-scene-group`, `create-common-group-new-version-v2`.

use super::REQUIRED;
use rollcall_provisioning::connector::{AttributeSpec, TargetSchema};
use rollcall_provisioning::entity::{self, EntityKind};
use serde_json::Value;

/// Scene groups.
pub(super) static CHAT: &[AttributeSpec] = &[
    AttributeSpec { name: entity::NAME, max_chars: Some(30), ..REQUIRED },
    AttributeSpec { name: entity::OWNER, ..REQUIRED },
];

/// Normal groups have shorter names.
static NORMAL_CHAT: &[AttributeSpec] = &[
    AttributeSpec { name: entity::NAME, max_chars: Some(20), ..REQUIRED },
    AttributeSpec { name: entity::OWNER, ..REQUIRED },
];

/// What DingTalk allows where there is no template for scene groups.
pub(crate) struct WithNormalChats;

impl TargetSchema for WithNormalChats {
    fn attributes(&self, kind: EntityKind) -> &[AttributeSpec] {
        match kind {
            EntityKind::Chat => NORMAL_CHAT,
            _ => super::of(kind),
        }
    }

    fn blank(&self, kind: EntityKind, name: &str) -> Option<&Value> {
        super::blank(kind, name)
    }
}
