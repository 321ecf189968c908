//! Departments on the wire. Pages `address-book-creation-department-established-department`,
//! `address-book-update-department`, `query-department-details0-v2`, `user-management-acquires-the-list-departments`.

use super::lenient;
use serde::{Deserialize, Serialize};

/// The body of create and update; a field that is `None` is not sent, and so left alone by an update.
#[derive(Serialize, Default)]
pub(crate) struct DepartmentBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dept_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source_identifier: Option<String>,
    /// Smaller numbers stand earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hide_dept: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outer_dept: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outer_dept_only_self: Option<bool>,
    /// Ids joined by commas. Only an update has it, and it is never sent empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dept_manager_userid_list: Option<String>,
    /// The name of a field that is cleared although it is not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) force_update_fields: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct DepartmentId {
    pub(crate) dept_id: i64,
}

/// The result of create and get, and one element of listsub.
#[derive(Deserialize)]
pub(crate) struct Department {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) dept_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) parent_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) source_identifier: Option<String>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) order: Option<i64>,
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) hide_dept: Option<bool>,
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) outer_dept: Option<bool>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) dept_manager_userid_list: Vec<String>,
}

/// The result of listsub: one level.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Children {
    #[serde(deserialize_with = "lenient::some_objects")]
    pub(crate) departments: Option<Vec<Department>>,
}
