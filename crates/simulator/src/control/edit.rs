//! Acting without the API: an admin's hand in DingTalk's console, and facts about people outside.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::corp::chats::Chat;
use crate::corp::person::Person;
use crate::corp::role_lifecycle::Grant;
use crate::corp::{Actor, Corp};
use crate::errcode::INVALID_DEPARTMENT_LIST;
use crate::params::Params;
use crate::simulator::Simulator;

use super::{ControlError, read_mobile};

/// What an admin does.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    CreateUser,
    UpdateUser,
    DeleteUser,
    CreateDepartment,
    UpdateDepartment,
    DeleteDepartment,
    CreateRoleGroup,
    UpdateRoleGroup,
    DeleteRoleGroup,
    CreateRole,
    UpdateRole,
    DeleteRole,
    AddRoleHolders,
    RemoveRoleHolders,
    UpdateChat,
    AddChatMembers,
    RemoveChatMembers,
    DisbandChat,
    CreateExternalContact,
    UpdateExternalContact,
    DeleteExternalContact,
    CreateLabelGroup,
}

/// Does by hand what `action` says, with the parameters of the API of the same name. Members also take `active` and
/// `admin_level` (0, 1 main, 2 sub) with `admin_dept_ids`, and their mobile number can be changed. Nothing of this is in the call log.
pub(super) async fn edit(
    State(simulator): State<Simulator>,
    Json(mut fields): Json<Map<String, Value>>,
) -> Result<Json<Value>, ControlError> {
    let action = fields.remove("action").unwrap_or_default();
    let action: Action = serde_json::from_value(action)
        .map_err(|error| ControlError::Senseless(format!("action must name an edit: {error}")))?;
    let params = Params::from_object(fields);
    simulator.with(|world| {
        let now_ms = world.clock.wall_ms();
        world.change(|corp| perform(corp, action, &params, now_ms)).map(Json)
    })
}

fn perform(corp: &mut Corp, action: Action, params: &Params, now_ms: i64) -> Result<Value, ControlError> {
    match action {
        Action::CreateUser => {
            let standing = Standing::read(params)?;
            let userid = corp.create_user(params, Actor::Console, now_ms)?;
            standing.set(corp, &userid)?;
            Ok(json!({ "userid": userid }))
        }
        Action::UpdateUser => {
            let standing = Standing::read(params)?;
            corp.update_user(params, Actor::Console)?;
            standing.set(corp, &params.required_text("userid")?)?;
            Ok(json!({}))
        }
        Action::DeleteUser => Ok(done(corp.delete_user(&params.required_text("userid")?, Actor::Console, now_ms)?)),
        Action::CreateDepartment => Ok(json!({ "dept_id": corp.create_department(params)? })),
        Action::UpdateDepartment => Ok(done(corp.update_department(params)?)),
        Action::DeleteDepartment => Ok(done(corp.delete_department(params.required_integer("dept_id")?)?)),
        Action::CreateRoleGroup => Ok(json!({ "groupId": corp.create_role_group(params)? })),
        Action::UpdateRoleGroup => Ok(done(corp.rename_role_group(params)?)),
        Action::DeleteRoleGroup => Ok(done(corp.delete_role_group(params)?)),
        Action::CreateRole => Ok(json!({ "roleId": corp.create_role(params)? })),
        Action::UpdateRole => Ok(done(corp.rename_role(params)?)),
        Action::DeleteRole => Ok(done(corp.delete_role(params.required_integer("role_id")?, Actor::Console)?)),
        Action::AddRoleHolders => Ok(done(corp.grant_roles(params, Grant::Add)?)),
        Action::RemoveRoleHolders => Ok(done(corp.grant_roles(params, Grant::Remove)?)),
        Action::UpdateChat => Ok(done(corp.update_scene_group(chat(corp, params)?, params)?)),
        Action::AddChatMembers => {
            let userids = params.texts("user_ids")?.unwrap_or_default();
            Ok(done(corp.join_chat(chat(corp, params)?, &userids, &[])?))
        }
        Action::RemoveChatMembers => {
            let userids = params.texts("user_ids")?.unwrap_or_default();
            Ok(done(corp.leave_chat(chat(corp, params)?, &userids, &[])?))
        }
        Action::CreateExternalContact => Ok(json!({ "userid": corp.create_external_contact(params)? })),
        Action::UpdateExternalContact => Ok(done(corp.update_external_contact(params)?)),
        Action::DeleteExternalContact => Ok(done(corp.delete_external_contact(&params.required_text("user_id")?)?)),
        Action::CreateLabelGroup => Ok(done(corp.create_label_group(params)?)),
        Action::DisbandChat => {
            corp.disband_chat(chat(corp, params)?);
            Ok(json!({}))
        }
    }
}

/// The chat that `chat_id` names.
fn chat(corp: &Corp, params: &Params) -> Result<Chat, ControlError> {
    let chat_id = params.required_text("chat_id")?;
    corp.chats.by_chat_id(&chat_id).cloned().ok_or_else(|| ControlError::Missing(format!("chat {chat_id}")))
}

/// The answer of an edit that returns nothing.
fn done((): ()) -> Value {
    json!({})
}

/// What an admin can say of a member beyond the parameters of the API.
struct Standing {
    logs_in: bool,
    admin_level: Option<u8>,
    admin_dept_ids: Option<Vec<i64>>,
}

impl Standing {
    fn read(params: &Params) -> Result<Self, ControlError> {
        let admin_level = match params.integer("admin_level")? {
            None => None,
            Some(level @ 0..=2) => u8::try_from(level).ok(),
            Some(_) => return Err(ControlError::Senseless("admin_level must be 0, 1 or 2".to_owned())),
        };
        let admin_dept_ids = params.id_list("admin_dept_ids", || INVALID_DEPARTMENT_LIST.about("admin_dept_ids"))?;
        Ok(Self { logs_in: params.boolean("active")? == Some(true), admin_level, admin_dept_ids })
    }

    fn set(&self, corp: &mut Corp, userid: &str) -> Result<(), ControlError> {
        if self.logs_in {
            corp.log_in(userid)?;
        }
        if let Some(level) = self.admin_level {
            corp.set_admin_level(userid, level)?;
        }
        if let Some(dept_ids) = &self.admin_dept_ids {
            corp.set_admin_departments(userid, dept_ids.clone())?;
        }
        Ok(())
    }
}

/// Tells the simulator about a DingTalk user outside the organisation: `mobile` and the flags of [`Person`]. The
/// newest statement about a number counts.
pub(super) async fn register_person(
    State(simulator): State<Simulator>,
    Json(mut fields): Json<Map<String, Value>>,
) -> Result<Json<Value>, ControlError> {
    let mobile = fields.remove("mobile").unwrap_or_default();
    let mobile = read_mobile(mobile.as_str().unwrap_or_default())?;
    let person: Person = serde_json::from_value(Value::Object(fields))
        .map_err(|error| ControlError::Senseless(format!("not a person: {error}")))?;
    let answer = json!({ "mobile": mobile, "person": person });
    simulator.with(|world| world.corp.people.insert(mobile, person));
    Ok(Json(answer))
}
