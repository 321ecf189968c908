//! Values that resources hold of a tenant's schemas.

use super::SchemaError;
use crate::StoreError;
use crate::connections::Transaction;
use rollcall_provisioning::ids::{ResourceKind, TenantId};
use rollcall_scim::schema::{Attribute, Schema};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Where a value lies in a resource: the URN, the attribute, and the sub-attribute, in the object or in each of an array.
pub(super) type Path = Vec<String>;

/// The paths of what one version of a schema has and another one has not.
pub(super) fn missing(of: &Schema, there: &Schema) -> Vec<Path> {
    let names = |of: &[Attribute], there: &[Attribute]| -> Vec<String> {
        let names = of.iter().map(|attribute| attribute.name.clone());
        names.filter(|name| !there.iter().any(|attribute| attribute.name == *name)).collect()
    };
    let urn = || of.id.clone();
    let mut paths: Vec<Path> =
        names(&of.attributes, &there.attributes).into_iter().map(|name| vec![urn(), name]).collect();
    for attribute in &of.attributes {
        if let Some(other) = there.attribute(&attribute.name) {
            let parts = names(&attribute.sub_attributes, &other.sub_attributes);
            paths.extend(parts.into_iter().map(|part| vec![urn(), attribute.name.clone(), part]));
        }
    }
    paths
}

/// Selects from the resources `$table` of the tenant `$1` that hold something of the schema `$3`, those that hold a value
/// at one of the paths `$2`. The table is read once, whatever the number of paths.
macro_rules! holders {
    ($table:literal, $select:literal) => {
        concat!(
            "WITH asked AS MATERIALIZED (SELECT n, ARRAY(SELECT jsonb_array_elements_text(path -> 'path')) AS path, ",
            "ARRAY(SELECT jsonb_array_elements_text(path -> 'outer')) AS outer_path, ",
            "(path ->> 'inside')::jsonpath AS inside FROM jsonb_array_elements($2) WITH ORDINALITY AS given (path, n)), ",
            "holders AS MATERIALIZED (SELECT id, attributes, deleted_at FROM ",
            $table,
            " WHERE tenant_id = $1 AND attributes ? $3) ",
            $select,
            " FROM holders CROSS JOIN asked ",
            "WHERE (attributes #> asked.path IS NOT NULL OR attributes #> asked.outer_path @? asked.inside)"
        )
    };
}

const COUNT: [&str; 2] = [
    concat!(
        holders!("users", "SELECT asked.n, count(*)"),
        " AND deleted_at IS NULL GROUP BY asked.n ORDER BY 1 LIMIT 1"
    ),
    concat!(
        holders!("groups", "SELECT asked.n, count(*)"),
        " AND deleted_at IS NULL GROUP BY asked.n ORDER BY 1 LIMIT 1"
    ),
];

/// Those of live resources, locked, as they are when whoever wrote to them has ended.
const FIND: [&str; 2] = [
    concat!(
        "SELECT id, attributes FROM users WHERE tenant_id = $1 AND deleted_at IS NULL AND id IN (",
        holders!("users", "SELECT id"),
        ") ORDER BY id FOR NO KEY UPDATE"
    ),
    concat!(
        "SELECT id, attributes FROM groups WHERE tenant_id = $1 AND deleted_at IS NULL AND id IN (",
        holders!("groups", "SELECT id"),
        ") ORDER BY id FOR NO KEY UPDATE"
    ),
];

/// The version moves, so that nobody who has read the resource before writes the values back.
const WRITE: [&str; 2] = [
    "UPDATE users SET attributes = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
    "UPDATE groups SET attributes = $3, version = version + 1 WHERE tenant_id = $1 AND id = $2",
];

/// Refuses when live resources hold values there.
///
/// # Errors
/// [`SchemaError::InUse`].
pub(super) async fn refuse_held(
    tx: &mut Transaction,
    tenant: TenantId,
    (kind, urn): (ResourceKind, &str),
    paths: &[Path],
) -> Result<(), SchemaError> {
    if paths.is_empty() {
        return Ok(());
    }
    let held: Option<(i64, i64)> =
        sqlx::query_as(of(kind, COUNT)).bind(tenant.0).bind(asked(paths)).bind(urn).fetch_optional(&mut **tx).await?;
    let Some((number, holders)) = held else { return Ok(()) };
    let path = usize::try_from(number - 1).ok().and_then(|number| paths.get(number));
    let what = match path.and_then(|path| path.get(1..)).filter(|rest| !rest.is_empty()) {
        Some(rest) => format!("the attribute \"{}\"", rest.join(".")),
        None => "the schema".to_owned(),
    };
    let who = match (kind, holders) {
        (ResourceKind::Group, 1) => "group holds",
        (ResourceKind::Group, _) => "groups hold",
        (_, 1) => "user holds",
        _ => "users hold",
    };
    Err(SchemaError::InUse(format!("{holders} {who} values of {what}; let their source remove them first, or keep it")))
}

/// Removes what lies there from all live resources: there is hardly ever anything.
pub(super) async fn forget(
    tx: &mut Transaction,
    tenant: TenantId,
    (kind, urn): (ResourceKind, &str),
    paths: &[Path],
) -> Result<(), SchemaError> {
    if paths.is_empty() {
        return Ok(());
    }
    let found: Vec<(Uuid, Value)> =
        sqlx::query_as(of(kind, FIND)).bind(tenant.0).bind(asked(paths)).bind(urn).fetch_all(&mut **tx).await?;
    for (id, mut attributes) in found {
        let object = attributes.as_object_mut().ok_or(StoreError::corrupt("schemas", "document", id))?;
        for path in paths {
            remove(object, path);
        }
        sqlx::query(of(kind, WRITE)).bind(tenant.0).bind(id).bind(attributes).execute(&mut **tx).await?;
    }
    Ok(())
}

fn of(kind: ResourceKind, [users, groups]: [&'static str; 2]) -> &'static str {
    if kind == ResourceKind::Group { groups } else { users }
}

/// The paths as [`holders`] reads them.
fn asked(paths: &[Path]) -> Value {
    let one = |path: &Path| {
        // A sub-attribute lies in an object, or in the objects of an array.
        let inside = path.get(2).map_or_else(|| "$.\"\"[0].\"\"".to_owned(), |part| format!("$[*].{}", json!(part)));
        json!({ "path": path, "outer": path.get(..2).unwrap_or(path), "inside": inside })
    };
    paths.iter().map(one).collect()
}

/// Removes a value, and whatever holds nothing else.
fn remove(object: &mut Map<String, Value>, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    let empty = match object.get_mut(first) {
        None => return,
        Some(_) if rest.is_empty() => true,
        Some(Value::Object(inner)) => {
            remove(inner, rest);
            inner.is_empty()
        }
        Some(Value::Array(items)) => {
            items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| remove(item, rest));
            items.retain(|item| item.as_object().is_none_or(|item| !item.is_empty()));
            items.is_empty()
        }
        Some(_) => false,
    };
    if empty {
        object.shift_remove(first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_leaves_nothing_empty_behind() {
        let path = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let before = json!({ "u": { "a": 1, "b": { "x": 1, "y": 2 }, "c": [{ "x": 1 }, { "x": 2, "y": 3 }] }, "t": 1 });
        let cases = [
            ("u", json!({ "t": 1 })),
            ("u/a", json!({ "u": { "b": { "x": 1, "y": 2 }, "c": [{ "x": 1 }, { "x": 2, "y": 3 }] }, "t": 1 })),
            ("u/b/x", json!({ "u": { "a": 1, "b": { "y": 2 }, "c": [{ "x": 1 }, { "x": 2, "y": 3 }] }, "t": 1 })),
            ("u/c/x", json!({ "u": { "a": 1, "b": { "x": 1, "y": 2 }, "c": [{ "y": 3 }] }, "t": 1 })),
            ("u/d", before.clone()),
            ("u/a/x", before.clone()),
        ];
        for (gone, after) in cases {
            let mut object = before.as_object().cloned().unwrap_or_default();
            remove(&mut object, &path(gone));
            assert_eq!(Value::Object(object), after, "{gone}");
        }
    }
}
