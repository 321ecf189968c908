//! Scene groups: chats made from a template (pages A0746 to A0755). Some spell their fields in snake case, some not.

use serde_json::{Map, Value, json};

use crate::corp::Corp;
use crate::corp::chat_lifecycle::{ChatRefusal, Founder, texts};
use crate::corp::chats::{Chat, ChatKind};
use crate::params::Params;

use super::chats::{refused, sub_admin_role, sub_admins_refused};
use super::{Caller, NewRefusal};

/// Makes a chat. With a `uuid` a repetition gives the same one.
pub(crate) fn create(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let founder = Founder { app: &caller.app.key, range: caller.app.range.as_ref() };
    let chat_id = corp.create_scene_group(founder, params).map_err(refused)?;
    let chat = corp.chats.by_chat_id(&chat_id);
    Ok(json!({ "open_conversation_id": chat.map(|chat| chat.open_conversation_id.as_str()), "chat_id": chat_id }))
}

/// Changes title, picture, owner and settings.
pub(crate) fn update(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat = chat_to_change(corp, caller, params)?;
    corp.update_scene_group(chat, params).map_err(refused)?;
    Ok(json!({ "success": true }))
}

/// Takes people in.
pub(crate) fn add_members(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat = chat_to_change(corp, caller, params)?;
    let (userids, unionids) = people(params)?;
    corp.join_chat(chat, &userids, &unionids).map_err(refused)?;
    Ok(json!({ "success": true }))
}

/// Takes people out.
pub(crate) fn remove_members(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat = chat_to_change(corp, caller, params)?;
    let (userids, unionids) = people(params)?;
    corp.leave_chat(chat, &userids, &unionids).map_err(refused)?;
    Ok(json!({ "success": true }))
}

/// All members at once: a chat has at most as many as always come in one page.
pub(crate) fn list_members(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat = chat_to_read(corp, caller, params)?;
    let size = params.integer("maxResults").map_err(|_| code("paramIllegal", "请求参数非法"))?;
    match size {
        None => return Err(code("paramBlank", "请求参数为空")),
        Some(..=0) => return Err(code("paramIllegal", "请求参数非法")),
        Some(_) => {}
    }
    let staff = chat.members.iter().filter_map(|userid| corp.find_user(userid));
    let outside = chat.outside_members.iter().filter_map(|unionid| corp.external.by_unionid(unionid));
    let outside: Map<String, Value> = outside.map(|one| (one.unionid.clone(), json!(one.name))).collect();
    let nicknames: Map<String, Value> = staff.map(|user| (user.userid.clone(), json!(user.name))).collect();
    Ok(json!({
        "success": true,
        "memberUserIds": corp.in_some_order(chat.members.iter().collect()),
        "hasMore": false,
        "unionIdList": chat.outside_members,
        "staffIdNickMap": nicknames,
        "unionIdNickMap": outside,
    }))
}

/// What a chat is.
pub(crate) fn query(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat = chat_to_read(corp, caller, params)?;
    let mut body = json!({
        "success": true,
        "openConversationId": chat.open_conversation_id,
        "templateId": chat.template_id,
        "title": chat.title,
        "ownerUserId": chat.owner,
        "groupUrl": format!("https://qr.dingtalk.com/action/joingroup?code={}", chat.id),
        "status": chat.status(),
    });
    if let (Some(icon), Value::Object(fields)) = (&chat.icon, &mut body) {
        fields.insert("icon".to_owned(), json!(icon));
    }
    Ok(body)
}

/// Appoints administrators (role 2) or makes them ordinary members again (role 3).
pub(crate) fn set_sub_admins(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat = known(corp, params, "openConversationId");
    let chat = chat.ok_or_else(|| code("invalidOpenConversationId", "无效的群ID"))?;
    if chat.kind != ChatKind::Scene || chat.app != caller.app.key {
        return Err(code("groupPermissionDenied", "无权限访问此群数据"));
    }
    if chat.disbanded {
        return Err(code("groupDisbang", "群已经解散"));
    }
    owner_in_range(corp, caller, chat)?;
    let admins = sub_admin_role(params)?;
    let userids = texts(params, "userIds").map_err(sub_admins_refused)?;
    corp.set_sub_admins(chat.clone(), &userids, admins).map_err(sub_admins_refused)?;
    Ok(json!({ "success": true }))
}

/// Ends a chat.
pub(crate) fn disband(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let chat = known(corp, params, "openConversationId")
        .filter(|chat| chat.kind == ChatKind::Scene && chat.app == caller.app.key && !chat.disbanded);
    let chat = chat.ok_or_else(|| code("paramIllegal", "paramIllegal"))?.clone();
    owner_in_range(corp, caller, &chat)?;
    corp.disband_chat(chat);
    Ok(json!({ "success": true }))
}

fn chat_to_change(corp: &Corp, caller: Caller<'_>, params: &Params) -> Result<Chat, NewRefusal> {
    let chat = known(corp, params, "open_conversation_id").filter(|chat| !chat.disbanded);
    let chat = chat.ok_or_else(|| refused(ChatRefusal::Invalid("open_conversation_id")))?;
    if chat.kind != ChatKind::Scene || chat.app != caller.app.key {
        return Err(refused(ChatRefusal::Forbidden));
    }
    owner_in_range(corp, caller, chat)?;
    Ok(chat.clone())
}

fn chat_to_read<'c>(corp: &'c Corp, caller: Caller<'_>, params: &Params) -> Result<&'c Chat, NewRefusal> {
    if params.text("openConversationId").ok().flatten().is_none_or(|id| id.is_empty()) {
        return Err(code("paramBlank", "请求参数为空"));
    }
    let chat = known(corp, params, "openConversationId").ok_or_else(|| code("cidEncryptError", "群ID解析错误"))?;
    if chat.kind != ChatKind::Scene {
        return Err(code("groupPermissionDenied", "无权限，该群没有安装群模板"));
    }
    if chat.app != caller.app.key {
        let text = "无权限，该群安装的群模板不属于当前token对应的应用名下";
        return Err(code("groupTemplatePermissionDenied", text));
    }
    owner_in_range(corp, caller, chat)?;
    Ok(chat)
}

fn known<'c>(corp: &'c Corp, params: &Params, name: &str) -> Option<&'c Chat> {
    corp.chats.by_conversation(&params.text(name).ok()??)
}

/// Every call asks that the owner be within the app's contact range.
pub(super) fn owner_in_range(corp: &Corp, caller: Caller<'_>, chat: &Chat) -> Result<(), NewRefusal> {
    let owner = corp.find_user(&chat.owner);
    let covered = owner.is_none_or(|owner| corp.covers_user(caller.app.range.as_ref(), owner));
    if covered { Ok(()) } else { Err(code("permession.checkFailed", "群主不在应用可见性内")) }
}

fn people(params: &Params) -> Result<(Vec<String>, Vec<String>), NewRefusal> {
    let (userids, unionids) =
        (texts(params, "user_ids").map_err(refused)?, texts(params, "union_ids").map_err(refused)?);
    if userids.is_empty() && unionids.is_empty() {
        return Err(refused(ChatRefusal::Invalid("user_ids")));
    }
    Ok((userids, unionids))
}

fn code(code: &'static str, text: &str) -> NewRefusal {
    NewRefusal::new(400, code, text)
}
