//! External contacts (pages A0097 to A0102).

use serde_json::{Map, Value, json};

use crate::corp::Corp;
use crate::corp::external::ExternalContact;
use crate::errcode::{INVALID_LABEL_SIZE, INVALID_SIZE, INVALID_USERID, Refusal};
use crate::options::App;
use crate::params::Params;

use super::paging::Slice;
use super::{Caller, fields, result};

/// Largest page.
const PAGE_SIZE: usize = 100;

/// Puts someone on record; the id is at the top of the answer.
pub(crate) fn create(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    Ok(fields([("userid", json!(corp.create_external_contact(params)?))]))
}

/// Changes a contact.
pub(crate) fn update(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    corp.update_external_contact(params)?;
    Ok(Map::new())
}

/// Takes a contact off the record.
pub(crate) fn delete(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    corp.delete_external_contact(&user_id(params)?)?;
    Ok(Map::new())
}

/// One contact.
pub(crate) fn get(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let contact = corp.existing_contact(&user_id(params)?)?;
    Ok(result(contact_details(contact, caller.app)))
}

/// One page of contacts. Nothing tells whether there are more: a short page is the last one.
pub(crate) fn list(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let slice = Slice::read(params, PAGE_SIZE, INVALID_SIZE)?;
    let (contacts, _) = slice.of(corp.in_some_order(corp.external.iter().collect()));
    let list: Vec<Value> = contacts.into_iter().map(|contact| contact_details(contact, caller.app)).collect();
    Ok(fields([("results", Value::Array(list))]))
}

/// One page of label groups.
pub(crate) fn list_label_groups(
    corp: &mut Corp,
    _: Caller<'_>,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    let slice = Slice::read(params, PAGE_SIZE, INVALID_LABEL_SIZE)?;
    let (groups, _) = slice.of(corp.external.label_groups().iter().collect());
    Ok(fields([("results", json!(groups))]))
}

fn contact_details(contact: &ExternalContact, app: &App) -> Value {
    let mut details = json!({
        "userid": contact.id,
        "name": contact.name,
        "state_code": contact.mobile.state_code(),
        "label_ids": contact.label_ids,
        "follower_user_id": contact.follower_user_id,
        "share_dept_ids": contact.share_dept_ids,
        "share_user_ids": contact.share_user_ids,
    });
    if let Value::Object(fields) = &mut details {
        if app.reads_mobile {
            fields.insert("mobile".to_owned(), json!(contact.mobile.number()));
        }
        fields.extend(contact.texts.iter().map(|(&name, text)| (name.to_owned(), json!(text))));
    }
    details
}

fn user_id(params: &Params) -> Result<String, Refusal> {
    params.required_text("user_id").map_err(|_| INVALID_USERID.about("user_id"))
}
