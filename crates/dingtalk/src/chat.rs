//! Group chats.
//!
//! With a group template in the settings they are scene groups: their creation knows a repetition by our key, and they
//! can be dissolved. Without one they are normal groups: a creation whose answer was lost cannot be found again, because
//! nothing lists chats, and no call dissolves them. The remote id says which of the two a chat is, so that both are
//! served after the template has come or gone: `chatid`, or `chatid/openConversationId` of a scene group.
//!
//! Every call here counts against what the organisation buys for each month (page `notice-optimization--payment-metering`).

use crate::client::Client;
use crate::operation::Operation;
use crate::wire::chat as wire;
use crate::{error, fit, list};
use rollcall_provisioning::connector::{ConnectorError, Cursor, ErrorClass, Page};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::Change;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most members of one call. No page names a limit of a call; a chat has at most 1,000.
pub(crate) const MOST_MEMBERS: usize = 100;
/// The most members of a chat (page `query-group-members`).
pub(crate) const CAPACITY: usize = 1_000;
/// Members on a page (page `query-group-members`): up to 1,000 come in one answer, whatever is asked for.
const PAGE: u32 = 1000;
/// The status of a chat that was dissolved (page `obtain-a-group-session`).
const DISSOLVED: i64 = 2;

/// The chats of one organisation.
pub(crate) struct Chats<'a> {
    pub(crate) client: &'a Client,
    /// The template of scene groups.
    pub(crate) template: Option<&'a str>,
}

/// Which chat.
#[derive(Clone, Copy)]
struct Id<'a> {
    chatid: &'a str,
    /// A scene group's.
    conversation: Option<&'a str>,
}

impl<'a> Id<'a> {
    fn of(remote_id: &'a str) -> Self {
        match remote_id.split_once('/') {
            Some((chatid, conversation)) => Self { chatid, conversation: Some(conversation) },
            None => Self { chatid: remote_id, conversation: None },
        }
    }
}

impl Chats<'_> {
    pub(crate) async fn get(&self, remote_id: &str) -> Result<Option<Entity>, ConnectorError> {
        let id = Id::of(remote_id);
        let (name, owner) = if let Some(open_conversation_id) = id.conversation {
            match self.scene(open_conversation_id).await? {
                Some(scene) => (scene.title, scene.owner_user_id),
                None => return Ok(None),
            }
        } else {
            match self.chat(id).await? {
                Some(chat) => (chat.name, chat.owner),
                None => return Ok(None),
            }
        };
        let attributes = [(entity::NAME, name), (entity::OWNER, owner)].into_iter();
        let attributes = attributes.filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?))));
        Ok(Some(Entity { remote_id: remote_id.to_owned(), attributes: attributes.collect() }))
    }

    async fn chat(&self, id: Id<'_>) -> Result<Option<wire::Chat>, ConnectorError> {
        let operation = Operation::ChatGet;
        match self.client.get::<wire::GotChat>(operation, &[("chatid", id.chatid)]).await {
            Ok(found) => match found.chat_info {
                Some(chat) if chat.status == Some(DISSOLVED) => Ok(None),
                // Without a name it is no answer, and what it leaves out cannot be taken for empty.
                Some(chat) if chat.name.is_some() => Ok(Some(chat)),
                _ => Err(self.client.unreadable(operation)),
            },
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A scene group, of which the older host says nothing.
    async fn scene(&self, open_conversation_id: &str) -> Result<Option<wire::GotScene>, ConnectorError> {
        let operation = Operation::SceneGet;
        match self.client.whole::<_, wire::GotScene>(operation, &wire::Conversation { open_conversation_id }).await {
            Ok(scene) if scene.status == Some(DISSOLVED) => Ok(None),
            Ok(scene) if scene.title.is_some() => Ok(Some(scene)),
            Ok(_) => Err(self.client.unreadable(operation)),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The members; the owner is one of them.
    pub(crate) async fn members(&self, remote_id: &str, from: Option<&Cursor>) -> Result<Page<String>, ConnectorError> {
        let id = Id::of(remote_id);
        let Some(open_conversation_id) = id.conversation else {
            let chat = self.chat(id).await?.ok_or_else(gone)?;
            // A chat without anybody is none: then the answer has left its members out.
            let members = Some(chat.useridlist).filter(|members| !members.is_empty());
            let items = members.ok_or_else(|| self.client.unreadable(Operation::ChatGet))?;
            return Ok(Page { items, next: None });
        };
        let operation = Operation::SceneMembers;
        let at = from.cloned().unwrap_or_else(|| Cursor::start(""));
        let next_token = Some(at.place()).filter(|place| !place.is_empty());
        let body = wire::ListMembers { open_conversation_id, max_results: PAGE, next_token };
        let page: wire::MemberPage = self.client.whole(operation, &body).await?;
        if page.has_more.is_none() && page.member_user_ids.is_empty() {
            return Err(self.client.unreadable(operation));
        }
        let next = match page.has_more {
            Some(true) => Some(list::next(self.client, operation, &at, page.next_token)?),
            _ => None,
        };
        Ok(Page { items: page.member_user_ids, next })
    }

    /// Creates a chat of its owner alone. `key` is ours: a scene group of the same key is the same one.
    pub(crate) async fn create(&self, key: Option<&str>, attributes: &Attributes) -> Result<String, ConnectorError> {
        let empty = Value::String(String::new());
        let text = |name| fit::text(name, attributes.get(name).unwrap_or(&empty));
        let (name, owner) = (text(entity::NAME)?, text(entity::OWNER)?);
        let (operation, created): (_, wire::CreatedChat) = if let Some(template_id) = self.template {
            let body = wire::NewScene { title: &name, template_id, owner_user_id: &owner, uuid: key };
            (Operation::SceneCreate, self.client.whole(Operation::SceneCreate, &body).await?)
        } else {
            let body = wire::NewGroup { name: &name, owner: &owner, useridlist: [&owner] };
            (Operation::ChatCreate, self.client.whole(Operation::ChatCreate, &body).await?)
        };
        let unreadable = || self.client.unreadable(operation);
        let chatid = created.chat_id.ok_or_else(unreadable)?;
        match self.template {
            Some(_) => Ok(format!("{chatid}/{}", created.open_conversation_id.ok_or_else(unreadable)?)),
            None => Ok(chatid),
        }
    }

    pub(crate) async fn update(
        &self,
        remote_id: &str,
        changes: &BTreeMap<String, Change>,
    ) -> Result<(), ConnectorError> {
        let wanted = |name| match changes.get(name) {
            Some(Change::Set(value)) => fit::text(name, value).map(Some),
            _ => Ok(None),
        };
        let (name, owner) = (wanted(entity::NAME)?, wanted(entity::OWNER)?);
        let (name, owner) = (name.as_deref(), owner.as_deref());
        match Id::of(remote_id) {
            Id { conversation: Some(open_conversation_id), .. } => {
                let (title, owner_user_id) = (name, owner);
                let body = wire::ChangedScene { open_conversation_id, title, owner_user_id, user_ids: None };
                self.client.confirmed(Operation::SceneUpdate, &body, SUCCESS).await
            }
            Id { chatid, .. } => {
                self.change(&wire::ChangedGroup { chatid, name, owner, ..wire::ChangedGroup::default() }).await
            }
        }
    }

    async fn change(&self, body: &wire::ChangedGroup<'_>) -> Result<(), ConnectorError> {
        self.client.confirmed(Operation::ChatUpdate, body, SUCCESS).await
    }

    /// Dissolves a scene group; nothing dissolves a normal one.
    pub(crate) async fn delete(&self, remote_id: &str) -> Result<(), ConnectorError> {
        let Some(open_conversation_id) = Id::of(remote_id).conversation else { return Err(undissolvable()) };
        let body = wire::Conversation { open_conversation_id };
        match self.client.confirmed(Operation::SceneDisband, &body, SUCCESS).await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(()),
            result => result,
        }
    }

    pub(crate) async fn add_members(&self, remote_id: &str, members: &[String]) -> Result<(), ConnectorError> {
        fit::members(members, MOST_MEMBERS)?;
        match Id::of(remote_id) {
            Id { conversation: Some(id), .. } => self.scene_members(Operation::SceneAddMembers, id, members).await,
            Id { chatid, .. } => {
                let add_useridlist = Some(members);
                self.change(&wire::ChangedGroup { chatid, add_useridlist, ..wire::ChangedGroup::default() }).await
            }
        }
    }

    /// Removes people. Whoever is not in the chat (60124) need not be removed; if DingTalk refuses the others because of
    /// them, they are taken one by one.
    pub(crate) async fn remove_members(&self, remote_id: &str, members: &[String]) -> Result<(), ConnectorError> {
        fit::members(members, MOST_MEMBERS)?;
        match self.remove(remote_id, members).await {
            Err(error) if error::names_no_member(&error) => {}
            result => return result,
        }
        for member in members.iter().filter(|_| members.len() > 1) {
            match self.remove(remote_id, std::slice::from_ref(member)).await {
                Err(error) if !error::names_no_member(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    async fn remove(&self, remote_id: &str, members: &[String]) -> Result<(), ConnectorError> {
        match Id::of(remote_id) {
            Id { conversation: Some(id), .. } => self.scene_members(Operation::SceneRemoveMembers, id, members).await,
            Id { chatid, .. } => {
                let del_useridlist = Some(members);
                self.change(&wire::ChangedGroup { chatid, del_useridlist, ..wire::ChangedGroup::default() }).await
            }
        }
    }

    async fn scene_members(
        &self,
        operation: Operation,
        open_conversation_id: &str,
        members: &[String],
    ) -> Result<(), ConnectorError> {
        let user_ids = Some(members);
        let body = wire::ChangedScene { open_conversation_id, user_ids, ..wire::ChangedScene::default() };
        self.client.confirmed(operation, &body, SUCCESS).await
    }
}

/// The field with which calls about chats say whether they did it.
const SUCCESS: &str = "success";

fn gone() -> ConnectorError {
    ConnectorError {
        class: ErrorClass::NotFound,
        code: "chat_gone".to_owned(),
        message: "The chat has been dissolved.".to_owned(),
        advice: "Nothing needs to be done: the chat is created again if it is wanted.".to_owned(),
        attribute: None,
        retry_after: None,
        outcome_unknown: false,
    }
}

fn undissolvable() -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Forbidden,
        code: "chat_undissolvable".to_owned(),
        message: "DingTalk has no way for an application to dissolve a normal group chat.".to_owned(),
        advice:
            "Let the owner dissolve it in DingTalk. Chats that are made from a group template can be dissolved: name \
                 one in the settings of the target."
                .to_owned(),
        ..gone()
    }
}
