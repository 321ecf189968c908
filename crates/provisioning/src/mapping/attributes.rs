//! The rules of attributes, as a document writes them: which the target has, who owns them and what blank means.

use super::expression::Scope;
use super::model::{AttributeRule, Blank, Owner, PersonKind};
use super::near;
use super::reader::{Reader, below};
use crate::connector::{AttributeSpec, Clearing, TargetSchema, ValueType};
use crate::entity::{EXTENSION_PREFIX, EntityKind};
use serde_json::Value;

/// The attributes of accounts.
pub(super) fn account<'a>(
    reader: &mut Reader<'a>,
    section: Option<&'a Value>,
    target: &dyn TargetSchema,
    kinds: &[PersonKind],
) -> Vec<AttributeRule> {
    let specs = target.attributes(EntityKind::Account);
    let rules = section.map(|section| attributes(reader, section, "/account", specs)).unwrap_or_default();
    // Nothing decides the kind of those for whom there is no rule.
    let accounts = [PersonKind::Normal, PersonKind::Sso, PersonKind::DingTalk];
    let wanted = accounts.into_iter().filter(|kind| *kind == PersonKind::Normal || kinds.contains(kind));
    let kinds: Vec<&str> = wanted.map(PersonKind::as_str).collect();
    let needed = |spec: &&AttributeSpec| kinds.iter().any(|kind| spec.is_needed_by(kind));
    complete(reader, "/account", &rules, specs.iter().filter(needed));
    rules
}

/// The attributes of external contacts.
pub(super) fn contact<'a>(
    reader: &mut Reader<'a>,
    section: Option<&'a Value>,
    target: &dyn TargetSchema,
    kinds: &[PersonKind],
) -> Vec<AttributeRule> {
    let specs = target.attributes(EntityKind::Contact);
    let rules = section.map(|section| attributes(reader, section, "/contact", specs)).unwrap_or_default();
    if kinds.contains(&PersonKind::Contact) {
        if specs.is_empty() {
            reader.wrong("/kinds", "The target has no external contacts.", "Let nobody become a contact.");
        }
        complete(reader, "/contact", &rules, specs.iter().filter(|spec| spec.required));
    }
    rules
}

/// An attribute that the target requires must have a rule.
fn complete<'s>(
    reader: &mut Reader<'_>,
    pointer: &str,
    rules: &[AttributeRule],
    needed: impl Iterator<Item = &'s AttributeSpec>,
) {
    for spec in needed.filter(|spec| spec.value_type != ValueType::Derived) {
        let name = spec.name;
        match rules.iter().find(|rule| rule.name == name) {
            Some(rule) if rule.owner == Owner::Target => {
                let message = format!("The target requires a {name}, so it cannot own it.");
                reader.wrong(below(&rule.pointer, "owner"), message, "Let owner be source or once.");
            }
            Some(_) => {}
            // What is wrong with the rule has been said already.
            None if reader.errors.iter().any(|error| error.pointer.starts_with(&below(pointer, name))) => {}
            None => {
                let message = format!("The target requires a {name}, and there is no rule for it.");
                reader.wrong(below(pointer, name), message, "Write one.");
            }
        }
    }
}

fn attributes<'a>(
    reader: &mut Reader<'a>,
    section: &'a Value,
    pointer: &str,
    specs: &[AttributeSpec],
) -> Vec<AttributeRule> {
    let Some(members) = section.as_object() else {
        reader.wrong(pointer, "This is not a table.", "Write a table from the name of an attribute to its rule.");
        return Vec::new();
    };
    let mut rules = Vec::new();
    for (name, value) in members {
        let pointer = below(pointer, name);
        // `[account.extension."shirt size"]` says the same as `[account."extension.shirt size"]`.
        match value.as_object().filter(|_| format!("{name}.") == EXTENSION_PREFIX) {
            Some(fields) => {
                for (field, value) in fields {
                    let name = format!("{EXTENSION_PREFIX}{field}");
                    rules.extend(attribute(reader, &name, value, below(&pointer, field), specs));
                }
            }
            None => rules.extend(attribute(reader, name, value, pointer, specs)),
        }
    }
    let names: Vec<(String, String)> =
        rules.iter().map(|rule: &AttributeRule| (rule.name.clone(), rule.pointer.clone())).collect();
    reader.unlike(names.iter().map(|(name, pointer)| (name.as_str(), pointer.clone())));
    rules
}

fn attribute<'a>(
    reader: &mut Reader<'a>,
    name: &str,
    value: &'a Value,
    pointer: String,
    specs: &[AttributeSpec],
) -> Option<AttributeRule> {
    let Some(spec) = specs.iter().find(|spec| spec.names(name)) else {
        let names = specs.iter().filter(|spec| spec.value_type != ValueType::Derived).map(|spec| spec.name);
        let otherwise = format!("It has {}.", names.clone().collect::<Vec<_>>().join(", "));
        let advice = near::advice(name, names, &otherwise);
        reader.wrong(pointer, format!("The target has no attribute \"{name}\"."), advice);
        return None;
    };
    if spec.value_type == ValueType::Derived {
        let message = format!("No rule of its own gives \"{name}\".");
        reader.wrong(pointer, message, "It follows from the sections scope, kinds, departments and leavers.");
        return None;
    }
    let table = reader.table(value, pointer, &["value", "owner", "blank"])?;
    let owner = reader.word(&table, "owner").unwrap_or_default();
    let value = match owner {
        Owner::Target => reader.expression(&table, "value", Scope::Person),
        Owner::Source | Owner::Once => Some(reader.needed(&table, "value", Scope::Person)?),
    };
    let needed = spec.required || !spec.needed_by.is_empty();
    let otherwise = if needed { Blank::Hold } else { Blank::Leave };
    let blank = if table.members.contains_key("blank") { reader.word(&table, "blank")? } else { otherwise };
    if owner != Owner::Target {
        let pointer = below(&table.pointer, "blank");
        if needed && blank != Blank::Hold {
            let message = format!("The target requires a {name}, so a blank one cannot be used.");
            reader.wrong(pointer, message, "Let blank be hold.");
        } else if blank == Blank::Clear && spec.clearing == Clearing::Impossible {
            let message = format!("The target has no way to clear the {name}.");
            reader.wrong(pointer, message, "Let blank be leave or hold.");
        }
    }
    Some(AttributeRule { name: name.to_owned(), pointer: table.pointer, spec: spec.clone(), value, owner, blank })
}
