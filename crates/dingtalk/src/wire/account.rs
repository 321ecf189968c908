//! People on the wire. Pages `user-information-creation`, `user-information-update`, `query-user-details`.

use super::lenient;
use serde::{Deserialize, Serialize};

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
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) telephone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work_place: Option<String>,
    /// Ids joined by commas; an update replaces the whole set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dept_id_list: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) manager_userid: Option<String>,
    /// The names of fields that are cleared although they are not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) force_update_fields: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct UserId<'a> {
    pub(crate) userid: &'a str,
}

#[derive(Serialize)]
pub(crate) struct Mobile<'a> {
    pub(crate) mobile: &'a str,
}

/// The result of create and of getbymobile.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct FoundUser {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) userid: Option<String>,
}

/// The result of get. What is empty, or what the application may not read, is missing.
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
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) telephone: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) job_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) work_place: Option<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) dept_id_list: Vec<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) manager_userid: Option<String>,
}
