//! Group chats that apps have made.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Most members of one chat, its owner included (pages A0738 and A0746).
pub(crate) const CHAT_MEMBERS: usize = 1_000;

/// The yes-or-no settings of a chat, in the spelling of scene groups, with the value they have at first (page A0746).
pub(crate) const CHAT_SETTINGS: [(&str, i64); 17] = [
    ("mention_all_authority", 0),
    ("show_history_type", 0),
    ("validation_type", 0),
    ("searchable", 0),
    ("chat_banned_type", 0),
    ("management_type", 0),
    ("only_admin_can_ding", 0),
    ("all_members_can_create_mcs_conf", 1),
    ("all_members_can_create_calendar", 0),
    ("group_email_disabled", 0),
    ("only_admin_can_set_msg_top", 0),
    ("add_friend_forbidden", 0),
    ("group_live_switch", 1),
    ("members_to_admin_chat", 0),
    ("plugin_customize_verify", 0),
    ("not_quit_when_emp_leave", 0),
    ("only_admin_can_add_mem", 0),
];

/// The same for normal groups, whose spelling differs (page A0738).
pub(crate) const NORMAL_CHAT_SETTINGS: [(&str, &str); 6] = [
    ("mentionAllAuthority", "mention_all_authority"),
    ("showHistoryType", "show_history_type"),
    ("validationType", "validation_type"),
    ("searchable", "searchable"),
    ("chatBannedType", "chat_banned_type"),
    ("managementType", "management_type"),
];

/// How a chat came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatKind {
    /// From a template; can be disbanded.
    Scene,
    /// Without one; no API disbands it.
    Normal,
}

/// A group chat. Its JSON form is the one of `/_simulator/state`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Chat {
    /// The older of its two ids.
    #[serde(rename = "chat_id")]
    pub(crate) id: String,
    /// The newer of its two ids.
    pub(crate) open_conversation_id: String,
    /// How it came to be.
    pub(crate) kind: ChatKind,
    /// Key of the app that made it; no other app may touch it.
    pub(crate) app: String,
    /// Template of a scene group.
    pub(crate) template_id: Option<String>,
    /// The caller's own key of the creation: the same key gives the same chat.
    pub(crate) uuid: Option<String>,
    /// Name.
    pub(crate) title: String,
    /// Media id of the picture.
    pub(crate) icon: Option<String>,
    /// The owner, who is a member.
    pub(crate) owner: String,
    /// Members of the organisation.
    pub(crate) members: BTreeSet<String>,
    /// Members from outside, by unionid.
    pub(crate) outside_members: BTreeSet<String>,
    /// Members who administer it beside the owner.
    pub(crate) sub_admins: BTreeSet<String>,
    /// The yes-or-no settings.
    pub(crate) settings: BTreeMap<&'static str, i64>,
    /// It is no more, but can still be asked about.
    pub(crate) disbanded: bool,
}

impl Chat {
    /// Owner, members and people from outside.
    pub(crate) fn size(&self) -> usize {
        self.members.len() + self.outside_members.len()
    }

    /// 1 normal, 2 disbanded (page A0740).
    pub(crate) fn status(&self) -> i64 {
        if self.disbanded { 2 } else { 1 }
    }

    /// Someone leaves the chat. An owner is followed by an administrator or else a member, the first by id; a chat of
    /// nobody is disbanded (inferred).
    pub(crate) fn forget(&mut self, userid: &str) {
        self.members.remove(userid);
        self.sub_admins.remove(userid);
        if self.owner != userid {
            return;
        }
        match self.sub_admins.first().or(self.members.first()).cloned() {
            Some(heir) => {
                self.sub_admins.remove(&heir);
                self.owner = heir;
            }
            None => self.disbanded = true,
        }
    }
}

/// All chats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chats {
    by_id: BTreeMap<String, Chat>,
    ids: BTreeMap<String, String>,
}

impl Chats {
    /// The chat of an older id.
    pub(crate) fn by_chat_id(&self, chat_id: &str) -> Option<&Chat> {
        self.by_id.get(chat_id)
    }

    /// The chat of a newer id.
    pub(crate) fn by_conversation(&self, open_conversation_id: &str) -> Option<&Chat> {
        self.by_id.get(self.ids.get(open_conversation_id)?)
    }

    /// The scene group that an app made with a key of its own.
    pub(crate) fn by_uuid(&self, app: &str, uuid: &str) -> Option<&Chat> {
        let mut chats = self.by_id.values().rev();
        chats.find(|chat| chat.app == app && chat.uuid.as_deref() == Some(uuid))
    }

    /// All chats, by older id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chat> {
        self.by_id.values()
    }

    /// How many chats have not been disbanded.
    pub(crate) fn living(&self) -> usize {
        self.by_id.values().filter(|chat| !chat.disbanded).count()
    }

    /// Adds a chat or replaces the one of the same id.
    pub(crate) fn put(&mut self, chat: Chat) {
        self.ids.insert(chat.open_conversation_id.clone(), chat.id.clone());
        self.by_id.insert(chat.id.clone(), chat);
    }

    /// Someone has left the organisation, and so all its chats (page A0738).
    pub(crate) fn forget_user(&mut self, userid: &str) {
        for chat in self.by_id.values_mut().filter(|chat| chat.members.contains(userid)) {
            chat.forget(userid);
        }
    }
}
