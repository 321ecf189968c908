//! The department tree that follows from people's attributes: organization / division / department of the
//! enterprise extension (RFC 7643 section 4.3), blank levels skipped.

use crate::finding::{Finding, FindingKind};

/// The most characters of a department name (DingTalk page `create-a-department-v2`).
pub const MAX_NAME_CHARS: usize = 64;

/// One department on the way from the top to a person.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OrgName {
    /// The name as the target takes it.
    pub name: String,
    /// What decides whether two names mean one department: folded, so that case does not count.
    pub key: String,
}

impl OrgName {
    /// A department name made fit for the target; `None` if nothing is left of it.
    ///
    /// DingTalk refuses `-`, `,` and `，` in names (error 60009): they become `－` and `、`, which look
    /// alike. Control characters go, runs of spaces become one.
    pub fn new(raw: &str) -> Option<Self> {
        let replaced = raw.chars().filter(|c| !c.is_control() || c.is_whitespace()).map(|c| match c {
            '-' => '－',
            ',' | '，' => '、',
            other => other,
        });
        let replaced: String = replaced.collect();
        let name = replaced.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() {
            return None;
        }
        let key = rollcall_scim::fold::fold(&name);
        Some(Self { name, key })
    }
}

/// A path in one word, by which two paths are compared: the folded names from the top, a unit separator between them.
pub fn path_key(path: &[OrgName]) -> String {
    path.iter().map(|unit| unit.key.as_str()).collect::<Vec<_>>().join(SEPARATOR)
}

/// Between the names of a path in one word. No name has it.
pub const SEPARATOR: &str = "\u{1f}";

/// The path of departments from `levels` (the top one first), or the finding that stops it.
pub fn path<'a>(levels: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Result<Vec<OrgName>, Box<Finding>> {
    let mut path = Vec::new();
    for (source_path, value) in levels {
        let Some(name) = value.and_then(OrgName::new) else { continue };
        let length = name.name.chars().count();
        if length > MAX_NAME_CHARS {
            return Err(Box::new(Finding {
                kind: FindingKind::Invalid,
                code: "department_name_too_long".to_owned(),
                attribute: Some(crate::entity::ORG_UNITS.to_owned()),
                source_path: Some(source_path.to_owned()),
                message: format!("The department name has {length} characters; DingTalk takes {MAX_NAME_CHARS}."),
                advice: "Shorten it at the source.".to_owned(),
            }));
        }
        path.push(name);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(levels: &[Option<&str>]) -> Vec<String> {
        let levels = levels.iter().map(|level| ("department", *level));
        path(levels).expect("short names").into_iter().map(|unit| unit.name).collect()
    }

    #[test]
    fn blank_levels_are_skipped() {
        assert_eq!(names(&[Some("Acme"), None, Some("Sales")]), ["Acme", "Sales"]);
        assert_eq!(names(&[Some("  "), Some("Acme"), Some("\u{3000}")]), ["Acme"]);
        assert!(names(&[None, None, None]).is_empty());
    }

    #[test]
    fn forbidden_characters_are_replaced() {
        for (raw, expected) in [
            ("R&D - China", "R&D － China"),
            ("Sales, EMEA", "Sales、 EMEA"),
            ("销售，华东", "销售、华东"),
            (" two   spaces\t", "two spaces"),
            ("bell\u{7}", "bell"),
        ] {
            assert_eq!(OrgName::new(raw).map(|unit| unit.name).as_deref(), Some(expected), "{raw:?}");
        }
    }

    #[test]
    fn case_does_not_make_another_department() {
        assert_eq!(OrgName::new("SALES").map(|u| u.key), OrgName::new("Sales").map(|u| u.key));
        assert_ne!(OrgName::new("Sales").map(|u| u.key), OrgName::new("Sale").map(|u| u.key));
    }

    #[test]
    fn a_long_name_is_named_with_its_attribute() {
        let long = "x".repeat(65);
        let finding = path([("division", Some(long.as_str()))]).expect_err("65 characters are too many");
        assert_eq!(finding.source_path.as_deref(), Some("division"));
        assert!(path([("division", Some("x".repeat(64).as_str()))]).is_ok());
    }

    proptest! {
        #[test]
        fn the_target_never_sees_a_forbidden_character(raw in "\\PC{0,40}") {
            if let Some(unit) = OrgName::new(&raw) {
                prop_assert!(!unit.name.contains(['-', ',', '，']));
                prop_assert_eq!(OrgName::new(&unit.name), Some(unit), "a clean name stays as it is");
            }
        }
    }
}
