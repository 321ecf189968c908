//! Members and departments as DingTalk's reads show them (pages A0056, A0062, A0081, A0082).

use serde_json::{Map, Value, json};

use crate::corp::Corp;
use crate::corp::department::Department;
use crate::corp::user::{Exclusive, User};
use crate::options::App;

/// The yes-or-no settings of a department that its read tells.
const READABLE_FLAGS: [&str; 6] =
    ["create_dept_group", "auto_add_user", "group_contain_sub_dept", "outer_dept", "hide_dept", "auto_approve_apply"];

/// An object under construction that leaves out what is empty.
#[derive(Debug, Default)]
struct Object(Map<String, Value>);

impl Object {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    fn put_list(&mut self, name: &str, list: Vec<Value>) {
        if !list.is_empty() {
            self.put(name, list);
        }
    }
}

/// The result of user/get.
pub(super) fn user_details(corp: &Corp, app: &App, user: &User) -> Value {
    let mut object = shared_fields(corp, app, user);
    object.put("senior", user.senior_mode);
    object.put("real_authed", user.active);
    object.put_some("manager_userid", user.manager_userid.clone());
    let departments = user.dept_id_list.iter();
    let orders = departments.clone().map(|&id| json!({ "dept_id": id, "order": user.order_in(id) }));
    object.put_list("dept_order_list", orders.collect());
    let leader = departments.clone().map(|&id| json!({ "dept_id": id, "leader": corp.leads(&user.userid, id) }));
    object.put_list("leader_in_dept", leader.collect());
    let roles = corp.roles_of(&user.userid).into_iter();
    let roles = roles.map(|(role, group)| json!({ "id": role.id, "name": role.name, "group_name": group.name }));
    object.put_list("role_list", roles.collect());
    let positions = departments.filter_map(|&id| {
        let position = user.dept_position.get(&id)?;
        let mut entry = Object::default();
        entry.put("dept_id", id);
        entry.put_some("title", position.title.clone());
        entry.put_some("work_place", position.work_place.clone());
        entry.put("is_main", position.is_main);
        Some(Value::Object(entry.0))
    });
    object.put_list("dept_position_list", positions.collect());
    object.put_some("extension_i18n", user.extension_i18n.clone());
    if app.reads_personal && user.org_email.is_some() {
        object.put_some("org_email_type", user.org_email_type.clone());
    }
    Value::Object(object.0)
}

/// What only enterprise accounts have (pages A0108 and A0116). An account of another organisation tells little of itself.
fn put_account(object: &mut Object, corp: &Corp, account: &Exclusive) {
    object.put("exclusive_account_type", account.kind.clone());
    if let Some(owner) = &account.owner {
        object.put("exclusive_account_corp_id", owner.corp_id.clone());
        object.put("exclusive_account_corp_name", owner.name.clone());
        return;
    }
    object.put("exclusive_account_corp_id", corp.id.clone());
    object.put("exclusive_account_corp_name", corp.organisation.name.clone());
    object.put_some("login_id", account.login_id.clone());
    object.put_some("nickname", account.nickname.clone());
    object.put("disable_status", account.disabled);
}

/// One element of user/list, which tells less than user/get and speaks of one department only.
pub(super) fn user_in_department(corp: &Corp, app: &App, user: &User, dept_id: i64) -> Value {
    let mut object = shared_fields(corp, app, user);
    object.put("dept_order", user.order_in(dept_id));
    object.put("leader", corp.leads(&user.userid, dept_id));
    Value::Object(object.0)
}

fn shared_fields(corp: &Corp, app: &App, user: &User) -> Object {
    let mut object = Object::default();
    object.put("userid", user.userid.clone());
    object.put("unionid", user.unionid.clone());
    object.put("name", user.name.clone());
    // DingTalk answers with an address; the media id stands for it here.
    object.put_some("avatar", user.exclusive.as_ref().and_then(|account| account.avatar.clone()));
    if let Some(mobile) = user.mobile.as_ref().filter(|_| app.reads_mobile) {
        object.put("state_code", mobile.state_code());
        object.put("mobile", mobile.number());
    }
    object.put("hide_mobile", user.hide_mobile);
    object.put_some("telephone", user.telephone.clone());
    object.put_some("job_number", user.job_number.clone());
    object.put_some("title", user.title.clone());
    if app.reads_personal {
        object.put_some("email", user.email.clone());
        object.put_some("org_email", user.org_email.clone());
        object.put_some("work_place", user.work_place.clone());
        object.put_some("remark", user.remark.clone());
        if !user.extension.is_empty() {
            object.put_some("extension", serde_json::to_string(&user.extension).ok());
        }
    }
    object.put("dept_id_list", user.dept_id_list.clone());
    object.put_some("hired_date", user.hired_date);
    object.put("active", user.active);
    object.put("admin", user.admin_level > 0);
    object.put("boss", false);
    object.put("exclusive_account", user.exclusive.is_some());
    if let Some(account) = &user.exclusive {
        put_account(&mut object, corp, account);
    }
    object
}

/// The result of department/get.
pub(super) fn department_details(corp: &Corp, department: &Department) -> Value {
    let counts = corp.counts(department);
    let mut object = Object::default();
    object.put("dept_id", department.dept_id);
    object.put("name", department.name.clone());
    object.put_some("parent_id", department.parent_id);
    object.put("order", department.order);
    for flag in READABLE_FLAGS {
        object.put(flag, department.flag(flag));
    }
    object.put_some("source_identifier", department.source_identifier.clone());
    // The SDK's spelling of this field is DingTalk's own.
    object.put_some("extention", department.extension.clone());
    object.put_some("code", department.code.clone());
    object.put_some("org_dept_owner", department.org_dept_owner.clone());
    object.put_some("dept_group_chat_id", department.dept_group_chat_id.clone());
    object.put("dept_manager_userid_list", department.managers.clone());
    object.put("dept_permits", department.dept_permits.clone());
    object.put("user_permits", department.user_permits.clone());
    object.put("outer_permit_depts", department.outer_permit_depts.clone());
    object.put("outer_permit_users", department.outer_permit_users.clone());
    object.put("member_count", counts.all);
    object.put("owning_member_count", counts.direct);
    Value::Object(object.0)
}

/// One element of department/listsub.
pub(super) fn department_in_list(department: &Department) -> Value {
    let mut object = Object::default();
    object.put("dept_id", department.dept_id);
    object.put("name", department.name.clone());
    object.put_some("parent_id", department.parent_id);
    object.put("create_dept_group", department.flag("create_dept_group"));
    object.put("auto_add_user", department.flag("auto_add_user"));
    Value::Object(object.0)
}

/// One element of the old department/list, whose spelling differs.
pub(super) fn legacy_department(department: &Department) -> Value {
    let mut object = Object::default();
    object.put("id", department.dept_id);
    object.put("name", department.name.clone());
    object.put_some("parentid", department.parent_id);
    object.put("createDeptGroup", department.flag("create_dept_group"));
    object.put("autoAddUser", department.flag("auto_add_user"));
    Value::Object(object.0)
}
