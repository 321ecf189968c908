//! Overrides: attributes that a person holds at a value other than the one that the rules want.
//!
//! The directory stays the only truth: an override answers one wish of the rules and no other. It counts as long as the
//! rules want what they wanted when it was made, and ends as soon as they want something else.

use crate::entity;
use crate::mapping::Department;
use crate::org_unit::OrgName;
use crate::plan::satisfied;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The attribute that stands for the account as a whole: it is held absent.
pub const ACCOUNT: &str = "account";

/// One attribute that is held.
///
/// Departments ([`entity::ORG_UNITS`]) are held as places in the tree: an array of paths, each an array of names from the
/// top, the person's own place first. So a department that was removed meanwhile is made again.
#[derive(Clone, PartialEq, Debug)]
pub struct Override {
    /// Its number.
    pub id: i64,
    /// Which attribute.
    pub attribute: String,
    /// What it is held at; `None` is no value.
    pub value: Option<Value>,
    /// What the rules wanted when it was made.
    pub against: Option<Value>,
}

impl Override {
    /// Whether it counts while the rules want this; the outer `None` says that they do not speak of the attribute. `blank`
    /// is what means the same as no value.
    pub fn counts(&self, wanted: Option<&Option<Value>>, blank: Option<&Value>) -> bool {
        wanted.is_none_or(|wanted| satisfied(wanted.as_ref(), self.against.as_ref(), blank))
    }

    /// Whether it is merged into the attributes that are wanted; the others say whether there is an account, and where.
    pub fn is_plain(&self) -> bool {
        !matches!(self.attribute.as_str(), ACCOUNT | entity::ORG_UNITS)
    }

    /// The places that are held instead of these; `None` if the rules want other places than it was made against.
    pub fn places(&self, wanted: &[Department]) -> Option<Vec<Department>> {
        let places = |value: &Option<Value>| value.as_ref().map(paths).unwrap_or_default();
        let keys = |paths: &[Vec<OrgName>]| -> BTreeSet<Vec<String>> { paths.iter().map(|path| key(path)).collect() };
        let asked: Vec<Vec<OrgName>> = wanted.iter().map(|department| department.path.clone()).collect();
        if keys(&asked) != keys(&places(&self.against)) {
            return None;
        }
        let department = |path: Vec<OrgName>| {
            let known = wanted.iter().find(|department| key(&department.path) == key(&path)).cloned();
            known.unwrap_or(Department { path, ..Department::default() })
        };
        Some(places(&self.value).into_iter().map(department).collect())
    }
}

/// Paths as an override keeps them.
pub fn paths_value<'a>(paths: impl IntoIterator<Item = &'a [String]>) -> Value {
    json!(paths.into_iter().collect::<Vec<_>>())
}

/// Paths as people read them: `Sales / EMEA`; `/` is the top.
pub fn readable_paths(value: &Value) -> Value {
    let one = |path: &Vec<OrgName>| {
        let names: Vec<&str> = path.iter().map(|unit| unit.name.as_str()).collect();
        if names.is_empty() { "/".to_owned() } else { names.join(" / ") }
    };
    json!(paths(value).iter().map(one).collect::<Vec<_>>())
}

fn paths(value: &Value) -> Vec<Vec<OrgName>> {
    let names = |path: &Value| -> Vec<OrgName> {
        let names = path.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.filter_map(OrgName::new).collect()
    };
    value.as_array().into_iter().flatten().map(names).collect()
}

fn key(path: &[OrgName]) -> Vec<String> {
    path.iter().map(|unit| unit.key.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(attribute: &str, value: Value, against: Value) -> Override {
        let some = |value: Value| Some(value).filter(|value| !value.is_null());
        Override { id: 1, attribute: attribute.to_owned(), value: some(value), against: some(against) }
    }

    #[test]
    fn it_counts_while_the_rules_want_what_they_wanted() {
        let title = held("title", json!("Clerk"), json!("CLERK"));
        let off = held("hide_mobile", json!(true), Value::Null);
        for (held, wanted, blank, counts) in [
            (&title, None, None, true),
            (&title, Some(Some(json!("CLERK"))), None, true),
            (&title, Some(Some(json!("Clerk"))), None, false),
            (&title, Some(Some(json!("Head"))), None, false),
            (&title, Some(None), None, false),
            (&off, Some(None), None, true),
            (&off, Some(Some(json!(false))), Some(json!(false)), true),
            (&off, Some(Some(json!(true))), Some(json!(false)), false),
        ] {
            assert_eq!(held.counts(wanted.as_ref(), blank.as_ref()), counts, "{held:?} {wanted:?}");
        }
    }

    #[test]
    fn places_are_held_against_places_whatever_their_case() {
        let at = |path: &[&str]| Department {
            path: path.iter().filter_map(|name| OrgName::new(name)).collect(),
            order: Some(7),
            ..Department::default()
        };
        let back = held("org_units", json!([["Sales"], ["Projects", "X"]]), json!([["Ops"], ["Projects", "X"]]));
        let kept = back.places(&[at(&["OPS"]), at(&["Projects", "X"])]).expect("it counts");
        let found: Vec<_> = kept.iter().map(|place| (key(&place.path), place.order)).collect();
        let expected = [(vec!["sales".to_owned()], None), (vec!["projects".to_owned(), "x".to_owned()], Some(7))];
        assert_eq!(found, expected);
        assert_eq!(back.places(&[at(&["Ops"])]), None, "the source has changed the places");
        assert_eq!(readable_paths(&json!([["Sales", "EMEA"], []])), json!(["Sales / EMEA", "/"]));
    }
}
