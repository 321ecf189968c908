//! Every row of the lists of what clients send, and of the suites that test a server like this, has a test over HTTP that
//! names it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::tree;

/// Faults that other servers had, by their letters. Numbers that are left out are about something else than a server.
const FAULTS: &[(&str, &[u32])] = &[
    ("A", &[1, 2, 3, 4, 6, 7, 9]),
    ("B", &[1, 2, 3, 4, 6, 7, 9, 10, 11, 15, 16, 17]),
    ("C", &[1, 2, 3, 5]),
    ("P", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    ("E", &[1, 2, 4, 6]),
    ("F", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12]),
    ("G", &[1, 2, 3, 6, 7]),
    ("H", &[1, 2, 3, 4, 6]),
    ("N", &[1, 2, 3, 4, 5, 6, 7]),
    ("X", &[1, 3, 4, 5, 7]),
];

/// Entra's web validator: the tests, those in preview with a P; and Okta's two suites.
const NUMBERED: &[(&str, &str, u32)] = &[("3.8", "#", 25), ("3.8", "#P", 7), ("4.2", "#", 12), ("4.3", "#", 5)];

/// Entra's tests for its gallery. The two about signing in are named where that is tested.
const GALLERY: &[&str] = &[
    "Create_User",
    "Update_User",
    "Disable_User",
    "Delete_User",
    "User_Update_Manager",
    "Restore_User",
    "POD_User",
    "Create_Group",
    "Update_Group",
    "Delete_Group",
    "Group_Update_Add_Member",
    "Group_Update_Remove_Member",
    "POD_Group",
    "Restore_Group",
    "Schema_Discoverability",
    "SCIM_Null_Update",
    "SCIM_User_Create",
    "SCIM_User_Update",
    "SCIM_Group_Create",
    "SCIM_Group_Update",
    "SCIM_User_Pagination",
    "SCIM_Group_Pagination",
    "SCIM_Update_Manager",
];

/// The rows that a line with a text in it names: `B7`, or `3.8 #7` with the table before them.
fn named(line: &str) -> BTreeSet<String> {
    let Some((_, text)) = line.split_once('"') else { return BTreeSet::new() };
    let part_of_row = |letter: char| letter.is_alphanumeric() || "#_.".contains(letter);
    let words: Vec<&str> = text.split(|letter| !part_of_row(letter)).map(|word| word.trim_end_matches('.')).collect();
    let table = words.iter().find(|word| NUMBERED.iter().any(|(table, ..)| table == *word) || **word == "3.9");
    words.iter().map(|word| table.map_or_else(|| (*word).to_owned(), |table| format!("{table} {word}"))).collect()
}

#[test]
fn every_row_has_a_test() -> anyhow::Result<()> {
    let mut found = BTreeSet::new();
    for file in tree::files()?.iter().filter(|file| file.starts_with("tests/http")) {
        found.extend(tree::read(Path::new(file))?.lines().flat_map(named));
    }
    let faults = FAULTS.iter().flat_map(|(letter, rows)| rows.iter().map(move |row| format!("{letter}{row}")));
    let numbered =
        NUMBERED.iter().flat_map(|(table, mark, last)| (1..=*last).map(move |row| format!("{table} {mark}{row}")));
    let gallery = GALLERY.iter().map(|name| format!("3.9 {name}"));
    let missing: Vec<String> = faults.chain(numbered).chain(gallery).filter(|row| !found.contains(row)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
    Ok(())
}

#[test]
fn rows_are_told_from_other_words() {
    let of = |line: &str| named(line).into_iter().collect::<Vec<_>>().join(", ");
    assert!(of(r#"("B7", "ab", json!({}))"#).split(", ").any(|row| row == "B7"));
    assert!(!of(r#"("B17", "ab")"#).split(", ").any(|row| row == "B7"));
    assert!(of(r#"assert_eq!(1, 1, "3.8 #1 #12: {}", x);"#).split(", ").any(|row| row == "3.8 #12"));
    assert!(!of(r#"assert_eq!(1, 1, "3.8 #12");"#).split(", ").any(|row| row == "3.8 #1"));
    assert_eq!(of("// B7"), "");
}
