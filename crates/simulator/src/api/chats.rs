//! Normal group chats (pages A0738 to A0745), and the codes that they share with scene groups.

use serde_json::{Map, Value, json};

use crate::corp::Corp;
use crate::corp::chat_lifecycle::{ChatRefusal, Founder, texts};
use crate::corp::chats::{Chat, ChatKind, NORMAL_CHAT_SETTINGS};
use crate::errcode::{CHAT_ID_MISSING, INVALID_CHAT_ID, NOT_AUTHORISED, Refusal};
use crate::params::Params;

use super::scene_groups::owner_in_range;
use super::{Caller, NewRefusal, fields};

/// `conversationTag` of a chat within the organisation.
const INTERNAL: i64 = 2;

/// Makes a chat. Every call makes another one.
pub(crate) fn create(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let founder = Founder { app: &caller.app.key, range: caller.app.range.as_ref() };
    let chat_id = corp.create_normal_group(founder, params).map_err(normal_refused)?;
    let chat = corp.chats.by_chat_id(&chat_id);
    Ok(json!({
        "conversationTag": INTERNAL,
        "openConversationId": chat.map(|chat| chat.open_conversation_id.as_str()),
        "chatid": chat_id,
    }))
}

/// Changes name, owner, picture, settings and members.
pub(crate) fn update(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat_id = params.text("chatid").ok().flatten().unwrap_or_default();
    let chat = corp.chats.by_chat_id(&chat_id).filter(|chat| !chat.disbanded);
    let chat = chat.ok_or_else(|| refused(ChatRefusal::Invalid("chatid")))?;
    if chat.kind != ChatKind::Normal || chat.app != caller.app.key {
        return Err(refused(ChatRefusal::Forbidden));
    }
    owner_in_range(corp, caller, chat)?;
    corp.update_normal_group(chat.clone(), params).map_err(normal_refused)?;
    Ok(json!({ "success": true }))
}

/// The old host's look at a chat, which must be a normal one that this app has made.
pub(crate) fn get(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let chat_id = params.text("chatid")?.filter(|chat_id| !chat_id.is_empty());
    let chat_id = chat_id.ok_or_else(|| CHAT_ID_MISSING.plain())?;
    let chat = corp.chats.by_chat_id(&chat_id).filter(|chat| chat.kind == ChatKind::Normal);
    let chat = chat.ok_or_else(|| INVALID_CHAT_ID.plain())?;
    if chat.app != caller.app.key {
        return Err(NOT_AUTHORISED.plain());
    }
    Ok(fields([("chat_info", chat_info(chat))]))
}

/// The newer id of a chat.
pub(crate) fn convert_id(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat_id = params.text("chatId").ok().flatten().unwrap_or_default();
    let chat = corp.chats.by_chat_id(&chat_id).filter(|chat| chat.app == caller.app.key);
    let chat = chat.ok_or_else(|| NewRefusal::new(400, "invalideChatId", "不合法的chatId"))?;
    owner_in_range(corp, caller, chat)?;
    Ok(json!({ "openConversationId": chat.open_conversation_id }))
}

/// Appoints administrators of a normal group, or makes them ordinary members again.
pub(crate) fn set_sub_admins(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let id = params.text("openConversationId").ok().flatten().unwrap_or_default();
    let chat = corp.chats.by_conversation(&id).filter(|chat| chat.app == caller.app.key && !chat.disbanded);
    let chat = chat.ok_or_else(|| NewRefusal::new(400, "invalidOpenConversationId", "无效的群ID"))?;
    owner_in_range(corp, caller, chat)?;
    let admins = sub_admin_role(params)?;
    let userids = texts(params, "userIds").map_err(sub_admins_refused)?;
    corp.set_sub_admins(chat.clone(), &userids, admins).map_err(sub_admins_refused)?;
    Ok(json!({ "success": true }))
}

fn chat_info(chat: &Chat) -> Value {
    let mut info = json!({
        "chatid": chat.id,
        "name": chat.title,
        "owner": chat.owner,
        "useridlist": chat.members,
        "conversationTag": INTERNAL,
        "status": chat.status(),
    });
    if let Value::Object(fields) = &mut info {
        for (spelling, name) in NORMAL_CHAT_SETTINGS {
            fields.insert(spelling.to_owned(), json!(chat.settings.get(name).copied().unwrap_or(0)));
        }
        if let Some(icon) = &chat.icon {
            fields.insert("icon".to_owned(), json!(icon));
        }
    }
    info
}

/// 2 appoints an administrator, 3 makes an ordinary member.
pub(super) fn sub_admin_role(params: &Params) -> Result<bool, NewRefusal> {
    match params.integer("role").ok().flatten() {
        Some(2) => Ok(true),
        Some(3) => Ok(false),
        _ => Err(NewRefusal::new(400, "invalidParams", "不合法的参数")),
    }
}

/// The codes of the calls about administrators.
pub(super) fn sub_admins_refused(refusal: ChatRefusal) -> NewRefusal {
    match refusal {
        ChatRefusal::NoSuchMember => NewRefusal::new(400, "userNotExists", "用户不存在"),
        ChatRefusal::Stranger => NewRefusal::new(400, "userNotInGroup", "用户不在群中"),
        ChatRefusal::TooManyAdmins => NewRefusal::new(400, "subAdminNumberExcessive", "管理员数量超过最大限制"),
        _ => NewRefusal::new(400, "invalidUserIds", "无效的用户ID清单"),
    }
}

/// The codes of the calls that make and change chats.
pub(super) fn refused(refusal: ChatRefusal) -> NewRefusal {
    match refusal {
        ChatRefusal::Invalid(what) => NewRefusal::new(400, "parameter.invalid", format!("输入参数错误: {what}")),
        ChatRefusal::Forbidden => NewRefusal::new(400, "permession.checkFailed", "权限校验失败"),
        ChatRefusal::Full => NewRefusal::new(400, "member.exceed", "群成员数量超出限制"),
        ChatRefusal::NoSuchMember | ChatRefusal::Stranger => NewRefusal::new(400, "member.notFound", "不存在的员工"),
        ChatRefusal::NoSuchTemplate => NewRefusal::new(400, "groupTemplate.notFound", "群模板不存在或者已下线"),
        ChatRefusal::TooManyChats => NewRefusal::new(500, "system.error", "too many chat"),
        ChatRefusal::TooManyAdmins => NewRefusal::new(400, "parameter.invalid", "输入参数错误: subadmin_ids"),
    }
}

/// Normal groups have fewer codes: whatever is wrong with a member is `parameter.invalid`.
fn normal_refused(refusal: ChatRefusal) -> NewRefusal {
    match refusal {
        ChatRefusal::Full => refused(ChatRefusal::Invalid("more than 1000 members")),
        ChatRefusal::NoSuchMember => refused(ChatRefusal::Invalid("a user id")),
        other => refused(other),
    }
}
