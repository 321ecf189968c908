//! What each API does once the gateway has let a call pass: contact range, business, and the shape of the answer.
//!
//! Answers are strictly typed, whatever type the caller used; what is empty is left out, never `null`.

pub(crate) mod chats;
pub(crate) mod departments_read;
pub(crate) mod departments_write;
pub(crate) mod enterprise;
pub(crate) mod external;
pub(crate) mod liveness;
pub(crate) mod new_host;
mod paging;
pub(crate) mod roles;
pub(crate) mod scene_groups;
pub(crate) mod scopes;
pub(crate) mod search;
pub(crate) mod users_list;
pub(crate) mod users_read;
pub(crate) mod users_write;
mod wire;

use serde_json::{Map, Value};

use crate::corp::Corp;
use crate::corp::department::Department;
use crate::corp::user::User;
use crate::errcode::{DEPARTMENT_OUT_OF_RANGE, Refusal, USER_NOT_FOUND, USER_OUT_OF_RANGE};
use crate::options::App;
use crate::params::Params;

/// An API of the old host. It returns the fields beside `errcode`, `errmsg` and `request_id`.
pub(crate) type OldApi = fn(&mut Corp, Caller<'_>, &Params) -> Result<Map<String, Value>, Refusal>;

/// An API of the new host. It returns the whole body.
pub(crate) type NewApi = fn(&mut Corp, Caller<'_>, &Params) -> Result<Value, NewRefusal>;

/// Who calls, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    /// The app.
    pub(crate) app: &'a App,
    /// Milliseconds since 1970.
    pub(crate) now_ms: i64,
}

impl Caller<'_> {
    /// A member that exists and lies within the app's contact range.
    pub(crate) fn user<'c>(self, corp: &'c Corp, userid: &str) -> Result<&'c User, Refusal> {
        let user = corp.find_user(userid).ok_or_else(|| USER_NOT_FOUND.plain())?;
        if corp.covers_user(self.app.range.as_ref(), user) { Ok(user) } else { Err(USER_OUT_OF_RANGE.plain()) }
    }

    /// A department that exists and lies within the app's contact range.
    pub(crate) fn department(self, corp: &Corp, dept_id: i64) -> Result<&Department, Refusal> {
        let department = corp.existing_department(dept_id)?;
        self.covers_department(corp, dept_id)?;
        Ok(department)
    }

    /// Refuses a department outside the app's contact range, whether it exists or not.
    pub(crate) fn covers_department(self, corp: &Corp, dept_id: i64) -> Result<(), Refusal> {
        let exists = corp.departments.get(dept_id).is_some();
        if exists && !corp.covers_department(self.app.range.as_ref(), dept_id) {
            return Err(DEPARTMENT_OUT_OF_RANGE.plain());
        }
        Ok(())
    }
}

/// A refusal of the new host.
#[derive(Clone, Debug)]
pub(crate) struct NewRefusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// `code`.
    pub(crate) code: &'static str,
    /// `message`.
    pub(crate) message: String,
    /// `accessdenieddetail.requiredScopes`.
    pub(crate) required_scope: Option<&'static str>,
}

impl NewRefusal {
    /// A refusal that is not about scopes.
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), required_scope: None }
    }
}

/// The fields of an answer that has a `result`.
fn result(value: Value) -> Map<String, Value> {
    fields([("result", value)])
}

/// The fields of an answer that carries its data at the top.
fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
