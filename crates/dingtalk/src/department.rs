//! Departments: our attributes to DingTalk's fields and back. The department at the top is read, never written.

use crate::client::Client;
use crate::error::halfway;
use crate::fit;
use crate::operation::Operation;
use crate::wire::department::{Children, Department, DepartmentBody, DepartmentId};
use rollcall_provisioning::connector::{ConnectorError, ErrorClass, Named};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::{self, Action, Change};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) async fn get(client: &Client, id: &str) -> Result<Option<Entity>, ConnectorError> {
    let Some(dept_id) = fit::department_number(id) else { return Ok(None) };
    match client.query::<_, Department>(Operation::DepartmentGet, &DepartmentId { dept_id }).await {
        Ok(department) if department.name.is_some() => Ok(Some(entity(dept_id, department))),
        // Without a name it is no answer, and what it leaves out cannot be taken for empty.
        Ok(_) => Err(client.unreadable(Operation::DepartmentGet)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Looks for a name one level below `parent`. The list does not say everything about a department, so the one
/// that is found is read once more.
pub(crate) async fn by_name(client: &Client, parent: &str, name: &str) -> Result<Option<Entity>, ConnectorError> {
    let dept_id = fit::department(entity::PARENT, &Value::String(parent.to_owned()))?;
    let children = client.query::<_, Children>(Operation::DepartmentChildren, &DepartmentId { dept_id }).await?;
    let mut named =
        children.departments.unwrap_or_default().into_iter().filter(|child| child.name.as_deref() == Some(name));
    match named.find_map(|child| child.dept_id.filter(|id| fit::department_number(id).is_some())) {
        Some(id) => get(client, &id).await,
        None => Ok(None),
    }
}

/// The departments one level below this one. Those with ids of zero and below are pseudo-departments of schools, which
/// no call accepts (page `common-errors`): they are left out, and counted.
pub(crate) async fn children(client: &Client, id: &str) -> Result<(Vec<Named>, usize), ConnectorError> {
    let operation = Operation::DepartmentChildren;
    let dept_id = fit::department(entity::PARENT, &Value::String(id.to_owned()))?;
    let found: Children = client.query(operation, &DepartmentId { dept_id }).await?;
    let (mut children, mut pseudo) = (Vec::new(), 0);
    for child in found.departments.ok_or_else(|| client.unreadable(operation))? {
        let (Some(remote_id), Some(name)) = (child.dept_id, child.name) else {
            return Err(client.unreadable(operation));
        };
        match fit::department_number(&remote_id) {
            Some(_) => children.push(Named { remote_id, name }),
            None => pseudo += 1,
        }
    }
    Ok((children, pseudo))
}

/// Creates a department and returns the id that DingTalk gives it.
///
/// A creation does not take the heads, who must be among its people (page `address-book-update-department`), and has
/// been seen to lose `source_identifier`: both are written by an update of the new department. If that one fails, the
/// department is there: it is found by its name, and what it lacks is planned anew.
pub(crate) async fn create(client: &Client, attributes: &Attributes) -> Result<String, ConnectorError> {
    let mut body = DepartmentBody::default();
    for (name, value) in attributes {
        set(&mut body, name, value)?;
    }
    let dept_manager_userid_list = body.dept_manager_userid_list.take();
    let source_identifier = body.source_identifier.clone();
    let created = client.query::<_, Department>(Operation::DepartmentCreate, &body).await?;
    let number = created.dept_id.as_deref().and_then(fit::department_number);
    let number = number.ok_or_else(|| client.unreadable(Operation::DepartmentCreate))?;
    if source_identifier.is_some() || dept_manager_userid_list.is_some() {
        let again = DepartmentBody {
            dept_id: Some(number),
            source_identifier,
            dept_manager_userid_list,
            ..DepartmentBody::default()
        };
        client.command(Operation::DepartmentUpdate, &again).await.map_err(halfway)?;
    }
    Ok(number.to_string())
}

pub(crate) async fn update(
    client: &Client,
    dept_id: i64,
    changes: &BTreeMap<String, Change>,
) -> Result<(), ConnectorError> {
    let mut body = DepartmentBody { dept_id: Some(dept_id), ..DepartmentBody::default() };
    for (name, change) in changes {
        match change {
            Change::Set(value) => set(&mut body, name, value)?,
            Change::Clear => clear(&mut body, name),
        }
    }
    client.command(Operation::DepartmentUpdate, &body).await
}

pub(crate) async fn delete(client: &Client, dept_id: i64) -> Result<(), ConnectorError> {
    match client.command(Operation::DepartmentDelete, &DepartmentId { dept_id }).await {
        Err(error) if error.class == ErrorClass::NotFound => Ok(()),
        result => result,
    }
}

fn set(body: &mut DepartmentBody, name: &str, value: &Value) -> Result<(), ConnectorError> {
    match name {
        entity::NAME => body.name = Some(fit::text(entity::NAME, value)?),
        entity::PARENT => body.parent_id = Some(fit::department(entity::PARENT, value)?),
        entity::SOURCE_IDENTIFIER => {
            body.source_identifier = Some(fit::text(entity::SOURCE_IDENTIFIER, value)?);
        }
        entity::ORDER => {
            let order = fit::integer(entity::ORDER, value)?;
            // 40011
            let positive = || fit::unfit(entity::ORDER, "malformed", "must be above zero");
            body.order = Some(Some(order).filter(|order| *order > 0).ok_or_else(positive)?);
        }
        entity::HIDDEN => body.hide_dept = Some(fit::switch(entity::HIDDEN, value)?),
        entity::RESTRICTED => restrict(body, fit::switch(entity::RESTRICTED, value)?),
        entity::HEADS => match fit::ids(entity::HEADS, value)?.join(",") {
            nobody if nobody.is_empty() => clear(body, name),
            heads => body.dept_manager_userid_list = Some(heads),
        },
        // The schema has refused every other name before.
        _ => {}
    }
    Ok(())
}

/// Heads go by name, because an empty list is an error (page `address-book-update-department`); switches go off.
fn clear(body: &mut DepartmentBody, name: &str) {
    match name {
        entity::HEADS => body.force_update_fields = Some("dept_manager_userid_list"),
        entity::HIDDEN => body.hide_dept = Some(false),
        entity::RESTRICTED => restrict(body, false),
        // The schema lets nothing else of a department be cleared.
        _ => {}
    }
}

fn restrict(body: &mut DepartmentBody, restricted: bool) {
    body.outer_dept = Some(restricted);
    body.outer_dept_only_self = Some(restricted);
}

/// A department as an entity. The one at the top has no parent.
fn entity(dept_id: i64, department: Department) -> Entity {
    let parent = department.parent_id.filter(|id| fit::department_number(id).is_some());
    let heads = department.dept_manager_userid_list.into_iter().map(Value::String);
    let attributes = [
        (entity::NAME, department.name.map(Value::String)),
        (entity::PARENT, parent.map(Value::String)),
        (entity::SOURCE_IDENTIFIER, department.source_identifier.map(Value::String)),
        (entity::ORDER, department.order.map(Value::from)),
        (entity::HIDDEN, department.hide_dept.map(Value::from)),
        // The only part of it that a read tells.
        (entity::RESTRICTED, department.outer_dept.map(Value::from)),
        (entity::HEADS, Some(heads.collect())),
    ];
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Entity { remote_id: dept_id.to_string(), attributes: tidied(attributes.collect()) }
}

/// The attributes that an accepted action leaves, as a read of the department will return them; but for the order that
/// DingTalk gives to a department for which none is wanted.
pub(crate) fn after(before: &Attributes, action: &Action) -> Attributes {
    tidied(plan::after(before, action))
}

/// Attributes as every read has them: heads in the order of their ids, each once; nothing empty, no switch that is off.
fn tidied(mut attributes: Attributes) -> Attributes {
    if let Some(Value::Array(heads)) = attributes.get(entity::HEADS) {
        let heads: BTreeSet<String> = heads.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
        attributes.insert(entity::HEADS.to_owned(), heads.into_iter().map(Value::String).collect());
    }
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    attributes.retain(|_, value| !empty(value));
    attributes
}
