//! External contacts on the wire. Pages `add-enterprise-external-contacts`, `update-enterprise-external-contacts`,
//! `obtain-the-external-contact-list`, `obtains-the-external-contact-details-of-an-enterprise`.

use super::lenient;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct ContactCall<'a> {
    pub(crate) contact: &'a ContactBody,
}

/// The object of create and update. An update has the id, and neither number nor country code.
#[derive(Serialize, Default)]
pub(crate) struct ContactBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mobile: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state_code: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) label_ids: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) follower_user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remark: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) company_name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) share_dept_ids: Vec<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) share_user_ids: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct ContactId<'a> {
    pub(crate) user_id: &'a str,
}

#[derive(Serialize)]
pub(crate) struct ListContacts {
    pub(crate) size: usize,
    pub(crate) offset: u64,
}

/// The answer of create.
#[derive(Deserialize)]
pub(crate) struct CreatedContact {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) userid: Option<String>,
}

/// The answer of list. It does not say whether there is more.
#[derive(Deserialize)]
pub(crate) struct ContactPage {
    #[serde(default, deserialize_with = "lenient::some_objects")]
    pub(crate) results: Option<Vec<Contact>>,
}

#[derive(Deserialize)]
pub(crate) struct Contact {
    #[serde(alias = "userid", default, deserialize_with = "lenient::text")]
    pub(crate) user_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) mobile: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) state_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::integers")]
    pub(crate) label_ids: Vec<i64>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) follower_user_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) address: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) remark: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) company_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::integers")]
    pub(crate) share_dept_ids: Vec<i64>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) share_user_ids: Vec<String>,
}
