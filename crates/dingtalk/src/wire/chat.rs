//! Group chats on the wire. Normal groups: pages `create-common-group-new-version-v2`, `api-updategroup`,
//! `obtain-a-group-session`. Scene groups, in snake case: pages `create-a-scene-group`, `api-updatescenegroup`,
//! `api-addscenegroupmember`, `api-removescenegroupmember`, `query-group-members`, `api-dsbandopenscenegroup`.

use super::lenient;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct NewGroup<'a> {
    pub(crate) name: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) useridlist: [&'a str; 1],
}

#[derive(Serialize)]
pub(crate) struct NewScene<'a> {
    pub(crate) title: &'a str,
    pub(crate) template_id: &'a str,
    pub(crate) owner_user_id: &'a str,
    /// By which DingTalk knows a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uuid: Option<&'a str>,
}

/// The answer of either creation.
#[derive(Deserialize)]
pub(crate) struct CreatedChat {
    #[serde(alias = "chatid", default, deserialize_with = "lenient::text")]
    pub(crate) chat_id: Option<String>,
    #[serde(alias = "openConversationId", default, deserialize_with = "lenient::text")]
    pub(crate) open_conversation_id: Option<String>,
}

#[derive(Serialize, Default)]
pub(crate) struct ChangedGroup<'a> {
    pub(crate) chatid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) add_useridlist: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) del_useridlist: Option<&'a [String]>,
}

#[derive(Serialize, Default)]
pub(crate) struct ChangedScene<'a> {
    pub(crate) open_conversation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_ids: Option<&'a [String]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Conversation<'a> {
    pub(crate) open_conversation_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListMembers<'a> {
    pub(crate) open_conversation_id: &'a str,
    pub(crate) max_results: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberPage {
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) member_user_ids: Vec<String>,
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) has_more: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) next_token: Option<String>,
}

/// The answer of `/v1.0/im/sceneGroups/query`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GotScene {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) owner_user_id: Option<String>,
    /// 1 is in use, 2 is dissolved.
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) status: Option<i64>,
}

/// The answer of `/chat/get`.
#[derive(Deserialize)]
pub(crate) struct GotChat {
    pub(crate) chat_info: Option<Chat>,
}

#[derive(Deserialize)]
pub(crate) struct Chat {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) owner: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) useridlist: Vec<String>,
    /// 1 is in use, 2 is dissolved.
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) status: Option<i64>,
}
