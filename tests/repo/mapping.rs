//! docs/mapping.md holds what the program does: its table names every function, and its recipes are documents whose examples
//! pass.

use std::path::Path;

use anyhow::Context;
use rollcall_dingtalk::DingTalkSchema;
use rollcall_provisioning::mapping::{Becomes, GroupFacts, Mapping, Schemas, Visibility};
use rollcall_provisioning::org_unit::OrgName;
use rollcall_scim::schema::builtin::{group_type, user_type};
use serde_json::{Value, json};

use crate::tree;

const PAGE: &str = "docs/mapping.md";

/// The recipes by their headings.
fn recipes() -> anyhow::Result<Vec<(String, Mapping)>> {
    let page = tree::read(Path::new(PAGE))?;
    let mut found = Vec::new();
    for section in page.split("\n### ").skip(1) {
        let heading = section.lines().next().unwrap_or_default().to_owned();
        for block in section.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let document: Value = toml_edit::de::from_str(block).with_context(|| heading.clone())?;
            let schemas = Schemas { user: &user_type(), group: &group_type() };
            let mapping = Mapping::compile(&document, schemas, &DingTalkSchema).map_err(|errors| {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                anyhow::anyhow!("{heading}: {}", errors.join("\n"))
            })?;
            found.push((heading.clone(), mapping));
        }
    }
    Ok(found)
}

fn recipe(heading: &str) -> anyhow::Result<Mapping> {
    let found = recipes()?.into_iter().find(|(name, _)| name == heading);
    Ok(found.with_context(|| format!("there is no recipe {heading:?}"))?.1)
}

#[test]
fn the_examples_of_every_recipe_pass() -> anyhow::Result<()> {
    let recipes = recipes()?;
    assert_eq!(recipes.len(), 5, "the recipes are found");
    for (heading, mapping) in recipes {
        let results = mapping.test();
        assert!(!results.is_empty(), "{heading} has no example");
        for result in results {
            assert!(result.differences.is_empty(), "{heading}, {}: {:#?}", result.name, result.differences);
        }
    }
    Ok(())
}

#[test]
fn groups_become_roles_and_departments_are_hidden_as_the_recipes_say() -> anyhow::Result<()> {
    let mapping = recipe("Roles from groups")?;
    for (name, role) in [("DT-Role-Approver", Some("Approver")), ("Choir", None)] {
        let resource = json!({ "displayName": name });
        let resource = resource.as_object().context("a table")?;
        let becomes = mapping.group(&GroupFacts { id: "sample", resource }, None).becomes;
        let called = match &becomes {
            Becomes::Role { name, .. } => Some(name.as_str()),
            _ => None,
        };
        assert_eq!(called, role, "{name}: {becomes:?}");
    }
    let mapping = recipe("Contractors in a hidden department")?;
    let path = [OrgName::new("Contractors").context("a name")?];
    assert_eq!(mapping.visibility(&path), Visibility { hidden: true, restricted: true });
    assert!(recipe("Heads of departments")?.names_heads());
    Ok(())
}

#[test]
fn the_table_of_functions_is_that_of_the_program() -> anyhow::Result<()> {
    let page = tree::read(Path::new(PAGE))?;
    let source = tree::read(Path::new("crates/provisioning/src/mapping/functions.rs"))?;
    let rows: Vec<&str> =
        source.lines().filter_map(|line| line.strip_prefix("//! ")).filter(|row| row.starts_with("| `")).collect();
    assert!(rows.len() > 15, "the rows are found");
    let missing: Vec<&&str> = rows.iter().filter(|row| !page.contains(**row)).collect();
    assert!(missing.is_empty(), "{PAGE} lacks {missing:#?}");
    Ok(())
}
