//! Migrations say what they are for, and every constraint in them has a name: the names are what the store turns into
//! errors for clients.

use std::path::Path;

use crate::tree;

/// What is wrong with one migration.
fn complaints(sql: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !sql.starts_with("-- ") {
        wrong.push("it does not begin with a comment that says what it is for".to_owned());
    }
    let words = words(sql);
    for (at, word) in words.iter().enumerate() {
        let before = |distance: usize| at.checked_sub(distance).and_then(|at| words.get(at)).map_or("", String::as_str);
        let after = words.get(at + 1).map_or("", String::as_str);
        let named = before(2) == "CONSTRAINT";
        let constraint = match word.as_str() {
            "PRIMARY" | "FOREIGN" => after == "KEY",
            "UNIQUE" => after != "INDEX",
            // `WITH CHECK` belongs to a policy.
            "CHECK" => before(1) != "WITH",
            // After the closing parenthesis of FOREIGN KEY (…) the name stands before that.
            "REFERENCES" => before(1) != ")",
            "EXCLUDE" => true,
            _ => false,
        };
        if constraint && !named {
            wrong.push(format!("a constraint without a name: … {} {} {word} {after} …", before(2), before(1)));
        }
        if word == "INDEX" && (after == "ON" || after == "CONCURRENTLY" && words.get(at + 2).is_some_and(|w| w == "ON"))
        {
            wrong.push("an index without a name".to_owned());
        }
    }
    wrong
}

/// The words and parentheses of an SQL text in capitals, without comments, literals and function bodies.
fn words(sql: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let end_of = |close: &str, from: usize| {
            let tail = rest.get(from..).unwrap_or("");
            tail.find(close).map_or(rest.len(), |at| from + at + close.len())
        };
        let word = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        let length = if rest.starts_with("--") {
            end_of("\n", 2)
        } else if rest.starts_with("/*") {
            end_of("*/", 2)
        } else if rest.starts_with("$$") {
            end_of("$$", 2)
        } else if first == '\'' {
            end_of("'", 1)
        } else if word > 0 {
            words.push(rest.get(..word).unwrap_or("").to_uppercase());
            word
        } else {
            if "()".contains(first) {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = rest.get(length..).unwrap_or("");
    }
    words
}

#[test]
fn migrations_are_commented_and_name_their_constraints() -> anyhow::Result<()> {
    let files: Vec<_> = tree::files()?
        .into_iter()
        .filter(|file| file.starts_with("migrations") && file.extension().is_some_and(|ending| ending == "sql"))
        .collect();
    assert!(!files.is_empty(), "there are migrations");
    let mut wrong = Vec::new();
    for file in files {
        let sql = tree::read(Path::new(&file))?;
        wrong.extend(complaints(&sql).into_iter().map(|complaint| format!("{}: {complaint}", file.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn the_rules_see_what_is_wrong_and_only_that() {
    for (sql, right) in [
        ("CREATE TABLE t (a int, CONSTRAINT t_pkey PRIMARY KEY (a));", true),
        ("CREATE TABLE t (a int CONSTRAINT t_pkey PRIMARY KEY);", true),
        ("CREATE TABLE t (a int PRIMARY KEY);", false),
        ("CREATE TABLE t (a int, PRIMARY KEY (a));", false),
        ("CREATE TABLE t (a int UNIQUE);", false),
        ("CREATE TABLE t (a int, CONSTRAINT t_a_key UNIQUE NULLS NOT DISTINCT (a));", true),
        ("CREATE TABLE t (a int CHECK (a > 0));", false),
        ("CREATE TABLE t (a int CONSTRAINT t_a_check CHECK (a > 0));", true),
        ("CREATE TABLE t (a int REFERENCES u (a));", false),
        ("CREATE TABLE t (a int CONSTRAINT t_a_fkey REFERENCES u (a));", true),
        ("ALTER TABLE t ADD CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES u (a);", true),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (a);", false),
        ("CREATE UNIQUE INDEX t_a_key ON t (a);", true),
        ("CREATE UNIQUE INDEX ON t (a);", false),
        ("CREATE INDEX CONCURRENTLY ON t (a);", false),
        ("-- a PRIMARY KEY in a comment\nSELECT 'UNIQUE'; /* CHECK */ SELECT 1;", true),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 /* UNIQUE */ , CHECK $$;", true),
    ] {
        let complaints = complaints(&format!("-- What it is for.\n{sql}"));
        assert_eq!(complaints.is_empty(), right, "{sql}: {complaints:?}");
    }
    assert!(!complaints("CREATE TABLE t ();").is_empty(), "a header is asked for");
}
