//! People: our attributes to DingTalk's fields and back.

use crate::client::Client;
use crate::fit;
use crate::operation::Operation;
use crate::wire::account::{FoundUser, Mobile, User, UserBody, UserId};
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::Change;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// DingTalk refuses title and departments together when its personnel system keeps them.
const KEPT_BY_PERSONNEL_SYSTEM: &str = "12150";

pub(crate) async fn get(client: &Client, userid: &str) -> Result<Option<Entity>, ConnectorError> {
    match client.query::<_, User>(Operation::UserGet, &UserId { userid }).await {
        Ok(user) => entity(user).map(Some).ok_or_else(|| client.unreadable(Operation::UserGet)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) async fn by_mobile(client: &Client, mobile: &str) -> Result<Option<String>, ConnectorError> {
    match client.query::<_, FoundUser>(Operation::UserByMobile, &Mobile { mobile }).await {
        Ok(found) => found.userid.map(Some).ok_or_else(|| client.unreadable(Operation::UserByMobile)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates a person and returns the userid that DingTalk keeps them under.
pub(crate) async fn create(
    client: &Client,
    userid: Option<&str>,
    attributes: &Attributes,
) -> Result<String, ConnectorError> {
    let mut body = UserBody { userid: userid.map(str::to_owned), ..UserBody::default() };
    for (name, value) in attributes {
        set(&mut body, name, value)?;
    }
    let answer = client.query::<_, Option<FoundUser>>(Operation::UserCreate, &body).await?;
    let created = answer.and_then(|created| created.userid).or(body.userid);
    created.ok_or_else(|| client.unreadable(Operation::UserCreate))
}

pub(crate) async fn update(
    client: &Client,
    userid: &str,
    changes: &BTreeMap<String, Change>,
) -> Result<(), ConnectorError> {
    let mut body = UserBody { userid: Some(userid.to_owned()), ..UserBody::default() };
    for (name, change) in changes {
        match change {
            Change::Set(value) => set(&mut body, name, value)?,
            Change::Clear if name == entity::MANAGER => body.force_update_fields = Some("manager_userid"),
            Change::Clear => set(&mut body, name, &Value::String(String::new()))?,
        }
    }
    client.command(Operation::UserUpdate, &body).await.map_err(|mut error| {
        if error.code.ends_with(KEPT_BY_PERSONNEL_SYSTEM) && !changes.contains_key(entity::TITLE) {
            error.attribute = Some(entity::ORG_UNITS);
        }
        error
    })
}

pub(crate) async fn delete(client: &Client, userid: &str) -> Result<(), ConnectorError> {
    match client.command(Operation::UserDelete, &UserId { userid }).await {
        Err(error) if error.class == ErrorClass::NotFound => Ok(()),
        result => result,
    }
}

fn set(body: &mut UserBody, name: &str, value: &Value) -> Result<(), ConnectorError> {
    let (attribute, field) = match name {
        entity::ORG_UNITS => {
            body.dept_id_list = Some(fit::departments(entity::ORG_UNITS, value)?);
            return Ok(());
        }
        entity::NAME => (entity::NAME, &mut body.name),
        entity::MOBILE => (entity::MOBILE, &mut body.mobile),
        entity::EMAIL => (entity::EMAIL, &mut body.email),
        entity::TELEPHONE => (entity::TELEPHONE, &mut body.telephone),
        entity::TITLE => (entity::TITLE, &mut body.title),
        entity::JOB_NUMBER => (entity::JOB_NUMBER, &mut body.job_number),
        entity::WORK_PLACE => (entity::WORK_PLACE, &mut body.work_place),
        entity::MANAGER => (entity::MANAGER, &mut body.manager_userid),
        // The schema has refused every other name before.
        _ => return Ok(()),
    };
    *field = Some(fit::text(attribute, value)?);
    Ok(())
}

/// A person as an entity. `None` if the answer does not even say who it is, because then what it leaves out
/// cannot be taken for empty.
fn entity(user: User) -> Option<Entity> {
    let mobile = user.mobile.map(|mobile| dialled(mobile, user.state_code.as_deref()));
    let mut attributes: Attributes = [
        (entity::NAME, user.name),
        (entity::MOBILE, mobile),
        (entity::EMAIL, user.email),
        (entity::TELEPHONE, user.telephone),
        (entity::TITLE, user.title),
        (entity::JOB_NUMBER, user.job_number),
        (entity::WORK_PLACE, user.work_place),
        (entity::MANAGER, user.manager_userid),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
    .collect();
    let departments = user.dept_id_list.into_iter().filter(|id| fit::department_number(id).is_some());
    if let Some(departments) = in_order(departments) {
        attributes.insert(entity::ORG_UNITS.to_owned(), departments);
    }
    Some(Entity { remote_id: user.userid?, attributes })
}

/// Departments in the order that plain text comparison gives, each once. DingTalk documents no meaning of the
/// order in `dept_id_list`, and desired and observed lists are compared for equality. `None` if there are none.
fn in_order(departments: impl IntoIterator<Item = String>) -> Option<Value> {
    let ordered: BTreeSet<String> = departments.into_iter().collect();
    (!ordered.is_empty()).then(|| ordered.into_iter().map(Value::String).collect())
}

/// The form in which a number is given at creation (page `user-information-creation`): mainland numbers bare,
/// others `+<country>-<number>`. A read splits the country off into `state_code`.
fn dialled(mobile: String, state_code: Option<&str>) -> String {
    if let Some(bare) = mobile.strip_prefix("+86-") {
        return bare.to_owned();
    }
    match state_code.map(|code| code.trim().trim_start_matches('+')) {
        Some(country) if !matches!(country, "" | "86") && !mobile.starts_with('+') => {
            format!("+{country}-{mobile}")
        }
        _ => mobile,
    }
}

/// Attributes as a read of the person would return them: departments in order, no empty texts.
pub(crate) fn as_read(mut attributes: Attributes) -> Attributes {
    attributes.retain(|_, value| !matches!(value, Value::Null) && value.as_str() != Some(""));
    if let Some(Value::Array(departments)) = attributes.get(entity::ORG_UNITS) {
        let departments = departments.iter().filter_map(|id| id.as_str().map(str::to_owned));
        if let Some(departments) = in_order(departments) {
            attributes.insert(entity::ORG_UNITS.to_owned(), departments);
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_as_given_at_creation() {
        for (mobile, state_code, expected) in [
            ("13800000001", Some("86"), "13800000001"),
            ("13800000001", None, "13800000001"),
            ("+86-13800000001", Some("86"), "13800000001"),
            ("91234567", Some("65"), "+65-91234567"),
            ("91234567", Some("+65"), "+65-91234567"),
            ("+65-91234567", Some("65"), "+65-91234567"),
            ("+65-91234567", None, "+65-91234567"),
        ] {
            assert_eq!(dialled(mobile.to_owned(), state_code), expected, "{mobile} {state_code:?}");
        }
    }

    #[test]
    fn what_was_written_looks_as_if_read() {
        let written = json!({"name": "张三", "title": "", "org_units": ["9", "10", "9"]});
        let Value::Object(written) = written else { panic!("an object") };
        let read = as_read(written.into_iter().collect());
        assert_eq!(json!(read), json!({"name": "张三", "org_units": ["10", "9"]}));
    }
}
