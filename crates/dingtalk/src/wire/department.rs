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
}

/// The result of listsub: one level.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Children {
    #[serde(deserialize_with = "lenient::objects")]
    pub(crate) departments: Vec<Department>,
}
