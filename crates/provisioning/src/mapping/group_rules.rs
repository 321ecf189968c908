//! The rules of groups, as a document writes them.

use super::expression::{Expression, Scope};
use super::model::{GroupForm, GroupRule, Rule};
use super::reader::{Reader, Table, below};
use std::collections::BTreeMap;

/// What a rule can hold.
pub(super) const MEMBERS: &[&str] = &["becomes", "called", "role_group", "path", "owner", "extra", "nested", "gone"];

/// The group of roles where nobody names another.
pub(super) const ROLE_GROUP: &str = "Rollcall";

/// What a group becomes.
pub(super) fn rule<'a>(reader: &mut Reader<'a>, table: &Table<'a>) -> Option<GroupRule> {
    let nested = reader.flag(table, "nested").unwrap_or(false);
    let gone = reader.word(table, "gone");
    let becomes = reader.text(table, "becomes");
    let needs: &[&str] = match becomes {
        Some("role") => &["called", "role_group", "extra", "gone"],
        Some("department") => &["path"],
        Some("chat") => &["called", "owner", "extra", "gone"],
        _ => &[],
    };
    let others =
        ["called", "role_group", "path", "owner", "extra", "gone"].into_iter().filter(|name| !needs.contains(name));
    for name in others.filter(|name| table.members.contains_key(*name)) {
        let what = becomes.unwrap_or("nothing");
        let message = format!("\"{name}\" means nothing for a group that becomes {what}.");
        reader.wrong(below(&table.pointer, name), message, "Remove it, or let the group become something else.");
    }
    let called = |reader: &mut Reader<'a>| {
        if table.members.contains_key("called") {
            reader.expression(table, "called", Scope::Group)
        } else {
            Expression::compile("group.displayName", Scope::Group, reader.shapes, &reader.options).ok()
        }
    };
    let becomes = match becomes {
        Some("nothing") => GroupForm::Nothing,
        Some("role") => {
            let called = called(reader);
            let role_group = reader.text(table, "role_group").unwrap_or(ROLE_GROUP).trim().to_owned();
            if role_group.is_empty() {
                reader.wrong(below(&table.pointer, "role_group"), "The role group has no name.", "Give it one.");
            }
            let extra = reader.word(table, "extra").unwrap_or_default();
            GroupForm::Role { called: called?, role_group, extra }
        }
        Some("department") => GroupForm::Department { path: reader.needed(table, "path", Scope::Group)? },
        Some("chat") => {
            let called = called(reader);
            let owner = reader.expression(table, "owner", Scope::Group);
            let extra = reader.word(table, "extra").unwrap_or_default();
            GroupForm::Chat { called: called?, owner, extra }
        }
        other => {
            let message = match other {
                None => "\"becomes\" is missing.".to_owned(),
                Some(other) => format!("A group cannot become \"{other}\"."),
            };
            reader.wrong(below(&table.pointer, "becomes"), message, "Say role, department, chat or nothing.");
            return None;
        }
    };
    Some(GroupRule { becomes, nested, gone })
}

/// Groups that a person decided about, by their id.
pub(super) fn by_hand<'a>(reader: &mut Reader<'a>, table: &Table<'a>) -> BTreeMap<String, Rule<GroupRule>> {
    let mut decided = BTreeMap::new();
    let Some(value) = table.members.get("groups_by_hand") else { return decided };
    let Some(groups) = value.as_object() else {
        reader.wrong(
            "/groups_by_hand",
            "This is not a table.",
            "Write a table from the id of a group to what it becomes.",
        );
        return decided;
    };
    for (id, value) in groups {
        let pointer = below("/groups_by_hand", id);
        let Some(table) = reader.table(value, pointer.clone(), MEMBERS) else { continue };
        if let Some(then) = rule(reader, &table) {
            decided.insert(id.clone(), Rule { name: "by hand".to_owned(), pointer, when: None, then });
        }
    }
    decided
}
