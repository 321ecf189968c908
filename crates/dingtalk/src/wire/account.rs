//! People on the wire. Pages `user-information-creation`, `user-information-update`, `query-user-details`,
//! `queries-the-complete-information-of-a-department-user`.

use super::lenient;
use rollcall_provisioning::plan::InitialPassword;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// The body of create and update; a field that is `None` is not sent, and so left alone by an update.
#[derive(Serialize, Default)]
pub(crate) struct UserBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) userid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mobile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hide_mobile: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) org_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) telephone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work_place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remark: Option<String>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hired_date: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) senior_mode: Option<bool>,
    /// The JSON text of an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extension: Option<String>,
    /// 0 overwrites all custom fields, 1 only those that are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ext_attrs_update_mode: Option<u8>,
    /// Ids joined by commas; an update replaces the whole set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dept_id_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dept_order_list: Option<Vec<DeptOrder>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dept_position_list: Option<Vec<DeptPosition>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) manager_userid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive_account: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive_account_type: Option<String>,
    /// What a creation calls the name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) login_id: Option<String>,
    /// What an update calls it (page `update-dedicated-accounts-information`).
    #[serde(rename = "loginId", skip_serializing_if = "Option::is_none")]
    pub(crate) new_login_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) init_password: Option<Password>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) send_password_to_user: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nickname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive_mobile: Option<String>,
    /// The names of fields that are cleared although they are not sent, joined by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) force_update_fields: Option<String>,
}

impl UserBody {
    /// Clears a field that has to be named for it.
    pub(crate) fn force(&mut self, field: &str) {
        let names = self.force_update_fields.get_or_insert_default();
        if !names.is_empty() {
            names.push(',');
        }
        names.push_str(field);
    }
}

/// A first password, which only the call itself may hold in the clear.
pub(crate) struct Password(pub(crate) InitialPassword);

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.expose().serialize(to)
    }
}

/// Where a person stands in a department: larger numbers stand earlier, and DingTalk's own need more than 53 bits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct DeptOrder {
    #[serde(deserialize_with = "lenient::integer")]
    pub(crate) dept_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) order: Option<i64>,
}

/// A person's post in a department.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct DeptPosition {
    #[serde(deserialize_with = "lenient::integer")]
    pub(crate) dept_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub(crate) work_place: Option<String>,
    #[serde(default, deserialize_with = "lenient::boolean", skip_serializing_if = "Option::is_none")]
    pub(crate) is_main: Option<bool>,
}

#[derive(Serialize)]
pub(crate) struct UserId<'a> {
    pub(crate) userid: &'a str,
}

/// The body of getbymobile.
#[derive(Serialize)]
pub(crate) struct Mobile<'a> {
    pub(crate) mobile: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) support_exclusive_account_search: bool,
}

/// The body of the calls about the use of an enterprise account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnterpriseUser<'a> {
    pub(crate) user_id: &'a str,
}

/// The answer of orgAccounts/status.
#[derive(Deserialize)]
pub(crate) struct AccountStatus {
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) disable: Option<bool>,
}

/// The body of user/list.
#[derive(Serialize)]
pub(crate) struct ListUsers {
    pub(crate) dept_id: i64,
    pub(crate) cursor: u64,
    pub(crate) size: u32,
}

/// The result of user/list.
#[derive(Deserialize)]
pub(crate) struct UserPage {
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) has_more: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) next_cursor: Option<String>,
    #[serde(default, deserialize_with = "lenient::some_objects")]
    pub(crate) list: Option<Vec<User>>,
}

/// The body of user/count.
#[derive(Serialize)]
pub(crate) struct CountUsers {
    /// Whether only those count who have signed in.
    pub(crate) only_active: bool,
}

/// The result of user/count.
#[derive(Deserialize)]
pub(crate) struct UserCount {
    #[serde(default, deserialize_with = "lenient::number")]
    pub(crate) count: Option<u64>,
}

/// The result of listadmin.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Admins {
    #[serde(deserialize_with = "lenient::some_objects")]
    pub(crate) admins: Option<Vec<FoundUser>>,
}

/// The result of create and of getbymobile, and one element of listadmin.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct FoundUser {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) userid: Option<String>,
    /// Enterprise accounts with the number, if they were asked for.
    #[serde(deserialize_with = "lenient::texts")]
    pub(crate) exclusive_account_userid_list: Vec<String>,
}

/// The result of get, and one element of list. What is empty, or what the application may not read, is missing.
#[derive(Deserialize)]
pub(crate) struct User {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) mobile: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) state_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) hide_mobile: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) org_email: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) telephone: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) job_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) work_place: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) remark: Option<String>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) hired_date: Option<i64>,
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) senior: Option<bool>,
    /// Whether the person administers the organisation.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) admin: Option<bool>,
    /// Whether the person is the boss of the organisation.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) boss: Option<bool>,
    #[serde(default, deserialize_with = "lenient::texts_by_name")]
    pub(crate) extension: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) dept_id_list: Vec<String>,
    #[serde(default, deserialize_with = "lenient::objects")]
    pub(crate) dept_order_list: Vec<DeptOrder>,
    #[serde(default, deserialize_with = "lenient::objects")]
    pub(crate) dept_position_list: Vec<DeptPosition>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) manager_userid: Option<String>,
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) exclusive_account: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) exclusive_account_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) login_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) nickname: Option<String>,
    /// Documented without its values, so it counts only if it is a yes or no.
    #[serde(default, deserialize_with = "lenient::perhaps_boolean")]
    pub(crate) disable_status: Option<bool>,
}
