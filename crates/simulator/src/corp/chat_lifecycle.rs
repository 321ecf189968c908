//! Making and changing group chats (pages A0738 to A0755).
//!
//! The pages list the codes without saying when each applies; where they are silent this is inferred: whoever is added
//! must exist, an owner must be a member and cannot be removed, adding a member or removing a stranger is harmless.

use std::collections::{BTreeMap, BTreeSet};

use crate::params::Params;

use super::Corp;
use super::chats::{CHAT_MEMBERS, CHAT_SETTINGS, Chat, ChatKind, NORMAL_CHAT_SETTINGS};

/// Longest name of a scene group and of a normal group.
const SCENE_TITLE: usize = 30;
const NORMAL_TITLE: usize = 20;

/// Most administrators of a chat beside its owner (page A0752).
const SUB_ADMINS: usize = 12;

/// `conversationTag` of a chat within the organisation.
const INTERNAL: i64 = 2;

/// Why something cannot be done to a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChatRefusal {
    /// A parameter is missing or makes no sense; it is named.
    Invalid(&'static str),
    /// The app may not.
    Forbidden,
    /// More than 1000 members.
    Full,
    /// There is no such owner, or member.
    NoSuchMember,
    /// There is no such template.
    NoSuchTemplate,
    /// The organisation has too many chats.
    TooManyChats,
    /// Someone who should administer the chat is not in it.
    Stranger,
    /// Too many administrators.
    TooManyAdmins,
}

type Checked<T> = Result<T, ChatRefusal>;

/// Who makes a chat, and by which rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Founder<'a> {
    /// Key of the app.
    pub(crate) app: &'a str,
    /// Departments the app may touch.
    pub(crate) range: Option<&'a BTreeSet<i64>>,
}

impl Corp {
    /// Makes a chat from a template and returns its older id. The same `uuid` gives the same chat again.
    pub(crate) fn create_scene_group(&mut self, founder: Founder<'_>, params: &Params) -> Checked<String> {
        let title = title(params, "title", SCENE_TITLE)?.ok_or(ChatRefusal::Invalid("title"))?;
        let template_id = text(params, "template_id")?.ok_or(ChatRefusal::Invalid("template_id"))?;
        let owner = text(params, "owner_user_id")?.ok_or(ChatRefusal::Invalid("owner_user_id"))?;
        let uuid = text(params, "uuid")?;
        let known = uuid.as_ref().and_then(|uuid| self.chats.by_uuid(founder.app, uuid));
        if let Some(known) = known.filter(|known| !known.disbanded || self.switches.chat_uuid_outlives_chat) {
            return Ok(known.id.clone());
        }
        if !self.organisation.group_templates.contains(&template_id) {
            return Err(ChatRefusal::NoSuchTemplate);
        }
        let mut chat = self.new_chat(founder, ChatKind::Scene, title, &owner)?;
        self.add_people(&mut chat, &texts(params, "user_ids")?, &[])?;
        chat.sub_admins = self.staff(&texts(params, "subadmin_ids")?)?;
        chat.members.extend(chat.sub_admins.iter().cloned());
        chat.settings.extend(scene_settings(params)?);
        chat.icon = text(params, "icon")?;
        (chat.template_id, chat.uuid) = (Some(template_id), uuid);
        self.found(chat)
    }

    /// Makes a chat without a template and returns its older id. Every call makes another one.
    pub(crate) fn create_normal_group(&mut self, founder: Founder<'_>, params: &Params) -> Checked<String> {
        let title = title(params, "name", NORMAL_TITLE)?.ok_or(ChatRefusal::Invalid("name"))?;
        let owner = text(params, "owner")?.ok_or(ChatRefusal::Invalid("owner"))?;
        let members = texts(params, "useridlist")?;
        if members.is_empty() {
            return Err(ChatRefusal::Invalid("useridlist"));
        }
        if text(params, "ownerType")?.is_some_and(|kind| kind != "emp") {
            // The simulator knows no chats that belong to someone outside.
            return Err(ChatRefusal::Invalid("ownerType"));
        }
        match params.integer("conversationTag").map_err(|_| ChatRefusal::Invalid("conversationTag"))? {
            None | Some(INTERNAL) => {}
            Some(0) => return Err(ChatRefusal::Forbidden),
            Some(_) => return Err(ChatRefusal::Invalid("conversationTag")),
        }
        let mut chat = self.new_chat(founder, ChatKind::Normal, title, &owner)?;
        self.add_people(&mut chat, &members, &texts(params, "extidlist")?)?;
        chat.settings.extend(normal_settings(params)?);
        chat.icon = text(params, "icon")?;
        self.found(chat)
    }

    /// Changes what the call names of a scene group.
    pub(crate) fn update_scene_group(&mut self, mut chat: Chat, params: &Params) -> Checked<()> {
        if let Some(title) = title(params, "title", SCENE_TITLE)? {
            chat.title = title;
        }
        let by_unionid = match text(params, "owner_union_id")? {
            Some(unionid) => Some(self.users.by_unionid(&unionid).ok_or(ChatRefusal::Invalid("owner_union_id"))?),
            None => None,
        };
        let owner = text(params, "owner_user_id")?.or_else(|| by_unionid.map(|user| user.userid.clone()));
        self.write_common(&mut chat, params, owner)?;
        chat.settings.extend(scene_settings(params)?);
        self.change_chat(chat);
        Ok(())
    }

    /// Changes what the call names of a normal group, its members too.
    pub(crate) fn update_normal_group(&mut self, mut chat: Chat, params: &Params) -> Checked<()> {
        if let Some(title) = title(params, "name", NORMAL_TITLE)? {
            chat.title = title;
        }
        let (added, removed) = (texts(params, "add_useridlist")?, texts(params, "del_useridlist")?);
        if added.iter().any(|userid| removed.contains(userid)) {
            return Err(ChatRefusal::Invalid("del_useridlist"));
        }
        self.add_people(&mut chat, &added, &texts(params, "add_extidlist")?)?;
        self.write_common(&mut chat, params, text(params, "owner")?)?;
        self.remove_people(&mut chat, &removed, &texts(params, "del_extidlist")?)?;
        chat.settings.extend(normal_settings(params)?);
        self.change_chat(chat);
        Ok(())
    }

    /// Takes people into a chat.
    pub(crate) fn join_chat(&mut self, mut chat: Chat, userids: &[String], unionids: &[String]) -> Checked<()> {
        let size = chat.size();
        self.add_people(&mut chat, userids, unionids)?;
        if chat.size() != size {
            self.change_chat(chat);
        }
        Ok(())
    }

    /// Takes people out of a chat.
    pub(crate) fn leave_chat(&mut self, mut chat: Chat, userids: &[String], unionids: &[String]) -> Checked<()> {
        let size = chat.size();
        self.remove_people(&mut chat, userids, unionids)?;
        if chat.size() != size {
            self.change_chat(chat);
        }
        Ok(())
    }

    /// Makes members administrators of a chat, or ordinary members again.
    pub(crate) fn set_sub_admins(&mut self, mut chat: Chat, userids: &[String], admins: bool) -> Checked<()> {
        if userids.is_empty() || userids.len() > SUB_ADMINS {
            return Err(ChatRefusal::Invalid("userIds"));
        }
        let people: BTreeSet<String> = self.staff(userids)?;
        if !people.is_subset(&chat.members) {
            return Err(ChatRefusal::Stranger);
        }
        for userid in people {
            if admins && chat.owner != userid {
                chat.sub_admins.insert(userid);
            } else {
                chat.sub_admins.remove(&userid);
            }
        }
        if chat.sub_admins.len() > SUB_ADMINS {
            return Err(ChatRefusal::TooManyAdmins);
        }
        self.change_chat(chat);
        Ok(())
    }

    /// Ends a chat. Its people are still on record.
    pub(crate) fn disband_chat(&mut self, mut chat: Chat) {
        chat.disbanded = true;
        self.change_chat(chat);
    }

    fn new_chat(&mut self, founder: Founder<'_>, kind: ChatKind, title: String, owner: &str) -> Checked<Chat> {
        let owner = self.find_user(owner).ok_or(ChatRefusal::NoSuchMember)?;
        if !self.covers_user(founder.range, owner) {
            return Err(ChatRefusal::Forbidden);
        }
        let owner = owner.userid.clone();
        Ok(Chat {
            id: self.random.chat_id(),
            open_conversation_id: self.random.conversation_id(),
            kind,
            app: founder.app.to_owned(),
            template_id: None,
            uuid: None,
            title,
            icon: None,
            members: BTreeSet::from([owner.clone()]),
            owner,
            outside_members: BTreeSet::new(),
            sub_admins: BTreeSet::new(),
            settings: CHAT_SETTINGS.into(),
            disbanded: false,
        })
    }

    fn found(&mut self, chat: Chat) -> Checked<String> {
        if chat.size() > CHAT_MEMBERS {
            return Err(ChatRefusal::Full);
        }
        if self.organisation.chat_limit.is_some_and(|limit| self.chats.living() >= limit) {
            return Err(ChatRefusal::TooManyChats);
        }
        let chat_id = chat.id.clone();
        self.change_chat(chat);
        Ok(chat_id)
    }

    fn change_chat(&mut self, chat: Chat) {
        self.committed();
        self.chats.put(chat);
    }

    /// Owner and picture, which both kinds change alike.
    fn write_common(&self, chat: &mut Chat, params: &Params, owner: Option<String>) -> Checked<()> {
        if let Some(owner) = owner {
            let member = self.find_user(&owner).filter(|user| chat.members.contains(&user.userid));
            chat.owner = member.ok_or(ChatRefusal::Invalid("owner"))?.userid.clone();
            chat.sub_admins.remove(&chat.owner);
        }
        if let Some(icon) = text(params, "icon")? {
            chat.icon = Some(icon);
        }
        Ok(())
    }

    fn add_people(&self, chat: &mut Chat, userids: &[String], unionids: &[String]) -> Checked<()> {
        chat.members.extend(self.staff(userids)?);
        for unionid in unionids {
            if let Some(user) = self.users.by_unionid(unionid) {
                chat.members.insert(user.userid.clone());
            } else if let Some(contact) = self.external.by_unionid(unionid) {
                chat.outside_members.insert(contact.unionid.clone());
            } else if !self.switches.unknown_chat_members_are_skipped {
                return Err(ChatRefusal::NoSuchMember);
            }
        }
        if chat.size() > CHAT_MEMBERS { Err(ChatRefusal::Full) } else { Ok(()) }
    }

    fn remove_people(&self, chat: &mut Chat, userids: &[String], unionids: &[String]) -> Checked<()> {
        let by_unionid = unionids.iter().filter_map(|unionid| self.users.by_unionid(unionid));
        let by_userid = userids.iter().filter_map(|userid| self.find_user(userid));
        let leaving: Vec<&str> = by_userid.chain(by_unionid).map(|user| user.userid.as_str()).collect();
        if leaving.contains(&chat.owner.as_str()) {
            return Err(ChatRefusal::Invalid("the owner stays"));
        }
        for userid in leaving {
            chat.forget(userid);
        }
        chat.outside_members.retain(|unionid| !unionids.contains(unionid));
        Ok(())
    }

    /// Members of the organisation in their own spelling.
    fn staff(&self, userids: &[String]) -> Checked<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for userid in userids {
            match self.find_user(userid) {
                Some(user) => drop(found.insert(user.userid.clone())),
                None if self.switches.unknown_chat_members_are_skipped => {}
                None => return Err(ChatRefusal::NoSuchMember),
            }
        }
        Ok(found)
    }
}

fn text(params: &Params, name: &'static str) -> Checked<Option<String>> {
    let text = params.text(name).map_err(|_| ChatRefusal::Invalid(name))?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A list of ids; absent is empty.
pub(crate) fn texts(params: &Params, name: &'static str) -> Checked<Vec<String>> {
    Ok(params.texts(name).map_err(|_| ChatRefusal::Invalid(name))?.unwrap_or_default())
}

fn title(params: &Params, name: &'static str, longest: usize) -> Checked<Option<String>> {
    let Some(title) = text(params, name)? else { return Ok(None) };
    if title.chars().count() > longest { Err(ChatRefusal::Invalid(name)) } else { Ok(Some(title)) }
}

fn scene_settings(params: &Params) -> Checked<BTreeMap<&'static str, i64>> {
    settings(params, "management_options", CHAT_SETTINGS.map(|(name, _)| (name, name)))
}

fn normal_settings(params: &Params) -> Checked<BTreeMap<&'static str, i64>> {
    settings(params, "managementOptions", NORMAL_CHAT_SETTINGS)
}

/// The settings a call names, each 0 or 1.
fn settings<const N: usize>(
    params: &Params,
    param: &'static str,
    names: [(&'static str, &'static str); N],
) -> Checked<BTreeMap<&'static str, i64>> {
    let sent = Params::from_object(params.object(param).map_err(|_| ChatRefusal::Invalid(param))?.unwrap_or_default());
    let mut settings = BTreeMap::new();
    for (spelling, name) in names {
        match sent.integer(spelling).map_err(|_| ChatRefusal::Invalid(param))? {
            None => {}
            Some(value @ 0..=1) => drop(settings.insert(name, value)),
            Some(_) => return Err(ChatRefusal::Invalid(param)),
        }
    }
    Ok(settings)
}
