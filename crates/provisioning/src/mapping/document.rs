//! From a document to rules. Everything that is wrong is told, not only the first thing.

use super::Mapping;
use super::attributes;
use super::error::MappingError;
use super::examples;
use super::expression::Scope;
use super::group_rules;
use super::metered::Options;
use super::model::{Deeper, Departments, GroupRule, LeaverRule, Levels, PersonKind, Rule, Special, Stages};
use super::reader::{Reader, Table, below};
use super::shape::{Schemas, Shapes};
use crate::connector::TargetSchema;
use crate::org_unit::OrgName;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most rules of a document, attributes and groups by hand counted.
pub const MOST_RULES: usize = 200;

/// The most stored examples of a document.
pub const MOST_EXAMPLES: usize = 200;

/// The most bytes of a document, written as JSON.
pub const MOST_BYTES: usize = 256 * 1024;

/// The most days of a stage of leaving.
const MOST_DAYS: u32 = 36_500;

/// The sections of a document.
pub(super) const SECTIONS: [&str; 11] = [
    "registered_abroad",
    "scope",
    "kinds",
    "account",
    "contact",
    "userid",
    "departments",
    "groups",
    "groups_by_hand",
    "leavers",
    "examples",
];

/// The document that counts while a tenant has none of its own. It works for Okta and Entra as they come.
pub(super) fn default_document() -> Value {
    json!({
        "account": {
            "name": {
                "value": "coalesce(user.displayName, user.name.formatted, \
                          hanName(user.name.familyName, user.name.givenName), user.userName)",
                "blank": "hold",
            },
            "mobile": { "value": "dingTalkPhone(typed(user.phoneNumbers, \"mobile\"))", "blank": "hold" },
            "email": { "value": "anyTyped(user.emails, \"work\")", "blank": "clear" },
            "telephone": { "value": "typed(user.phoneNumbers, \"work\")", "blank": "clear" },
            "title": { "value": "user.title", "blank": "clear" },
            "job_number": { "value": "enterprise.employeeNumber", "blank": "clear" },
            "manager": { "value": "enterprise.manager.value", "blank": "clear" },
        },
        "userid": { "value": "replace(user.id, \"-\", \"\")" },
        "departments": { "paths": "[enterprise.organization, enterprise.division, enterprise.department]" },
    })
}

pub(super) fn compile(
    document: &Value,
    schemas: Schemas<'_>,
    target: &dyn TargetSchema,
) -> Result<Mapping, Vec<MappingError>> {
    let shapes = Shapes::of(schemas);
    let registered_abroad = document.get("registered_abroad") == Some(&Value::Bool(true));
    let mut reader = Reader { shapes: &shapes, options: Options { registered_abroad }, errors: Vec::new() };
    let size = document.to_string().len();
    if size > MOST_BYTES {
        reader.wrong(
            "",
            format!("The document has {size} bytes; {MOST_BYTES} is the most."),
            "Remove rules or examples.",
        );
        return Err(reader.errors);
    }
    // A section that is not there is the one of the default document.
    let standard = default_document();
    let read = sections(&mut reader, document, &standard, target);
    let errors = std::mem::take(&mut reader.errors);
    let Some(Sections { scope, kinds, account, contact, userid, departments, groups, by_hand, leavers }) =
        read.filter(|_| errors.is_empty())
    else {
        return Err(errors);
    };
    let mapping = Mapping {
        user_type: schemas.user.clone(),
        shapes,
        scope,
        kinds,
        account,
        contact,
        userid,
        departments,
        groups,
        by_hand,
        leavers,
        examples: Vec::new(),
    };
    examples::read(document, mapping)
}

struct Sections {
    scope: Vec<Rule<bool>>,
    kinds: Vec<Rule<PersonKind>>,
    account: Vec<super::model::AttributeRule>,
    contact: Vec<super::model::AttributeRule>,
    userid: super::expression::Expression,
    departments: Departments,
    groups: Vec<Rule<GroupRule>>,
    by_hand: BTreeMap<String, Rule<GroupRule>>,
    leavers: Vec<Rule<LeaverRule>>,
}

fn sections<'a>(
    reader: &mut Reader<'a>,
    document: &'a Value,
    standard: &'a Value,
    target: &dyn TargetSchema,
) -> Option<Sections> {
    let table = reader.table(document, String::new(), &SECTIONS)?;
    reader.flag(&table, "registered_abroad");
    let counted = ["scope", "kinds", "account", "contact", "groups", "groups_by_hand", "leavers"];
    let count: usize = counted.iter().filter_map(|name| document.get(name)).map(length).sum();
    if count > MOST_RULES {
        let message = format!("There are {count} rules; {MOST_RULES} is the most.");
        reader.wrong("", message, "Use tables with switch(…) instead of many rules.");
        return None;
    }
    let scope = rules(reader, &table, ("scope", Scope::Person, &["include"]), |reader, table| {
        let include = reader.flag(table, "include");
        if !table.members.contains_key("include") {
            reader.wrong(below(&table.pointer, "include"), "\"include\" is missing.", "Say true or false.");
        }
        include
    });
    let kinds = rules(reader, &table, ("kinds", Scope::Person, &["kind"]), |reader, table| {
        if !table.members.contains_key("kind") {
            let advice = "Say normal, sso, dingtalk or contact.";
            reader.wrong(below(&table.pointer, "kind"), "\"kind\" is missing.", advice);
        }
        reader.word(table, "kind")
    });
    let becomes: Vec<PersonKind> = kinds.iter().map(|rule| rule.then).collect();
    let account =
        attributes::account(reader, document.get("account").or_else(|| standard.get("account")), target, &becomes);
    let contact = attributes::contact(reader, document.get("contact"), target, &becomes);
    let userid = document.get("userid").or_else(|| standard.get("userid"))?;
    let userid = reader.table(userid, "/userid".to_owned(), &["value"]);
    let userid = userid.and_then(|table| reader.needed(&table, "value", Scope::Person));
    let departments = departments(reader, document.get("departments").or_else(|| standard.get("departments"))?);
    let groups = rules(reader, &table, ("groups", Scope::Group, group_rules::MEMBERS), group_rules::rule);
    let by_hand = group_rules::by_hand(reader, &table);
    let leavers =
        rules(reader, &table, ("leavers", Scope::Person, LEAVER_MEMBERS), |reader, table| Some(leaver(reader, table)));
    Some(Sections {
        scope,
        kinds,
        account,
        contact,
        userid: userid?,
        departments: departments?,
        groups,
        by_hand,
        leavers,
    })
}

fn length(section: &Value) -> usize {
    match section {
        Value::Array(rules) => rules.len(),
        Value::Object(rules) => rules.len(),
        _ => 0,
    }
}

/// A section of rules that are looked at in turn: its name, what its conditions see, and what its rules hold beside them.
type Section = (&'static str, Scope, &'static [&'static str]);

fn rules<'a, T>(
    reader: &mut Reader<'a>,
    table: &Table<'a>,
    (section, scope, members): Section,
    mut then: impl FnMut(&mut Reader<'a>, &Table<'a>) -> Option<T>,
) -> Vec<Rule<T>> {
    let mut known = vec!["name", "when"];
    known.extend(members);
    let mut rules = Vec::new();
    for (value, pointer) in reader.list(table, section, MOST_RULES) {
        let Some(table) = reader.table(value, pointer.clone(), &known) else { continue };
        let name = reader.name(&table);
        let when = reader.expression(&table, "when", scope);
        let then = then(reader, &table);
        if let (Some(name), Some(then)) = (name, then) {
            rules.push(Rule { name, pointer, when, then });
        }
    }
    let names: Vec<(&str, String)> =
        rules.iter().map(|rule: &Rule<T>| (rule.name.as_str(), rule.pointer.clone())).collect();
    reader.unlike(names);
    rules
}

fn departments<'a>(reader: &mut Reader<'a>, value: &'a Value) -> Option<Departments> {
    let known = ["paths", "title", "order", "head", "levels", "special"];
    let table = reader.table(value, "/departments".to_owned(), &known)?;
    let paths = reader.needed(&table, "paths", Scope::Person);
    let title = reader.expression(&table, "title", Scope::Place);
    let order = reader.expression(&table, "order", Scope::Place);
    let head = reader.expression(&table, "head", Scope::Place);
    let mut levels = Levels { most: None, deeper: Deeper::default(), separator: " / ".to_owned() };
    if let Some(value) = table.members.get("levels")
        && let Some(table) = reader.table(value, "/departments/levels".to_owned(), &["most", "deeper", "separator"])
    {
        levels.most = reader.number(&table, "most", 1, 50).and_then(|most| usize::try_from(most).ok());
        levels.deeper = reader.word(&table, "deeper").unwrap_or_default();
        if let Some(separator) = reader.text(&table, "separator") {
            separator.clone_into(&mut levels.separator);
        }
    }
    let mut special = Vec::new();
    for (value, pointer) in reader.list(&table, "special", MOST_RULES) {
        let Some(table) = reader.table(value, pointer, &["path", "hidden", "restricted"]) else { continue };
        let mut path = Vec::new();
        for (value, pointer) in reader.list(&table, "path", 50) {
            match value.as_str().and_then(OrgName::new) {
                Some(name) => path.push(name),
                None => reader.wrong(pointer, "This is not the name of a department.", "Write a text."),
            }
        }
        if path.is_empty() {
            reader.wrong(
                below(&table.pointer, "path"),
                "The path is missing.",
                "Name the departments from the top down.",
            );
        }
        let (hidden, restricted) = (reader.flag(&table, "hidden"), reader.flag(&table, "restricted"));
        special.push(Special { path, hidden: hidden.unwrap_or(false), restricted: restricted.unwrap_or(false) });
    }
    Some(Departments { paths: paths?, title, order, head, levels, special })
}

const LEAVER_MEMBERS: &[&str] = &["access_ended_after_days", "removed_after_days", "erased_after_days", "successor"];

fn leaver<'a>(reader: &mut Reader<'a>, table: &Table<'a>) -> LeaverRule {
    let standard = Stages::default();
    let access_ended_after_days = reader.number(table, "access_ended_after_days", 0, MOST_DAYS).unwrap_or(0);
    // TOML has no null, so there is a word for it.
    let mut days = |name: &str, otherwise: Option<u32>| match table.members.get(name) {
        None => otherwise,
        Some(Value::Null) => None,
        Some(Value::String(word)) if word == "never" => None,
        Some(Value::String(_)) => {
            reader.wrong(below(&table.pointer, name), "This is no number.", "Say a number of days, or \"never\".");
            None
        }
        Some(_) => reader.number(table, name, 0, MOST_DAYS),
    };
    let removed_after_days = days("removed_after_days", standard.removed_after_days);
    let erased_after_days = days("erased_after_days", standard.erased_after_days);
    if removed_after_days.is_some_and(|removed| removed < access_ended_after_days) {
        let advice = "Let removed_after_days be at least access_ended_after_days.";
        reader.wrong(&*table.pointer, "The account would be removed before access ends.", advice);
    }
    if let (Some(removed), Some(erased)) = (removed_after_days, erased_after_days)
        && erased < removed
    {
        let advice = "Let erased_after_days be at least removed_after_days.";
        reader.wrong(&*table.pointer, "What we remember would be erased before the account is removed.", advice);
    }
    if removed_after_days.is_none() && erased_after_days.is_some() && table.members.contains_key("erased_after_days") {
        let advice = "Let erased_after_days be \"never\" too.";
        reader.wrong(&*table.pointer, "What we remember of an account that is kept cannot be erased.", advice);
    }
    let erased_after_days = removed_after_days.and(erased_after_days);
    let stages = Stages { access_ended_after_days, removed_after_days, erased_after_days };
    LeaverRule { stages, successor: reader.expression(table, "successor", Scope::Person) }
}
