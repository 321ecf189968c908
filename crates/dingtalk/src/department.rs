//! Departments: our attributes to DingTalk's fields and back. The department at the top is read, never written.

use crate::client::Client;
use crate::fit;
use crate::operation::Operation;
use crate::wire::department::{Children, Department, DepartmentBody, DepartmentId};
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::Change;
use serde_json::Value;
use std::collections::BTreeMap;

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
    let mut named = children.departments.into_iter().filter(|child| child.name.as_deref() == Some(name));
    match named.find_map(|child| child.dept_id.filter(|id| fit::department_number(id).is_some())) {
        Some(id) => get(client, &id).await,
        None => Ok(None),
    }
}

/// Creates a department and returns the id that DingTalk gives it.
pub(crate) async fn create(client: &Client, attributes: &Attributes) -> Result<String, ConnectorError> {
    let mut body = DepartmentBody::default();
    for (name, value) in attributes {
        set(&mut body, name, value)?;
    }
    let created = client.query::<_, Department>(Operation::DepartmentCreate, &body).await?;
    let id = created.dept_id.filter(|id| fit::department_number(id).is_some());
    id.ok_or_else(|| client.unreadable(Operation::DepartmentCreate))
}

pub(crate) async fn update(
    client: &Client,
    dept_id: i64,
    changes: &BTreeMap<String, Change>,
) -> Result<(), ConnectorError> {
    let mut body = DepartmentBody { dept_id: Some(dept_id), ..DepartmentBody::default() };
    for (name, change) in changes {
        // The schema lets nothing of a department be cleared.
        if let Change::Set(value) = change {
            set(&mut body, name, value)?;
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
        // The schema has refused every other name before.
        _ => {}
    }
    Ok(())
}

/// A department as an entity. The one at the top has no parent.
fn entity(dept_id: i64, department: Department) -> Entity {
    let parent = department.parent_id.filter(|id| fit::department_number(id).is_some());
    let attributes = [
        (entity::NAME, department.name),
        (entity::PARENT, parent),
        (entity::SOURCE_IDENTIFIER, department.source_identifier),
    ];
    let attributes = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))));
    Entity { remote_id: dept_id.to_string(), attributes: attributes.collect() }
}
