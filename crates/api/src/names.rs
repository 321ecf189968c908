//! What tenants, sources, operators, targets and tokens may be called.

/// The longest name, in characters.
const LONGEST: usize = 100;

/// Takes a name as it is, or says in a sentence what is wrong with it. A name is shown in lists, in logs of other
/// systems and on pages, and is typed again later; so it must be visible and look like what it is.
pub fn parse(name: &str) -> Result<String, String> {
    if name.trim().is_empty() {
        return Err("a name must not be empty".to_owned());
    }
    if name.trim() != name {
        return Err("a name must not begin or end with a space".to_owned());
    }
    if let Some(hidden) = name.chars().find(|letter| is_hidden(*letter)) {
        let code = u32::from(hidden);
        return Err(format!("a name must not hold characters that cannot be seen; this one holds U+{code:04X}"));
    }
    let length = name.chars().count();
    if length > LONGEST {
        return Err(format!("a name may have {LONGEST} characters; this one has {length}"));
    }
    Ok(name.to_owned())
}

/// Whether a character is a control character, ends a line, turns the writing direction, or shows nothing: soft hyphens,
/// separators without width, the fillers of Hangul, tags. Joiners stay: several scripts are written with them.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_can_be_told_apart_are_taken_as_they_are() {
        let long = "ä".repeat(LONGEST);
        for name in ["acme", "Acme (Asia)", "o'brien@acme.example", "北京总部", "می‌خواهم", &long] {
            assert_eq!(parse(name).as_deref(), Ok(name));
        }
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        let long = "ä".repeat(LONGEST + 1);
        for (name, expected) in [
            ("", "must not be empty"),
            (" \t", "must not be empty"),
            (" admin", "must not begin or end with a space"),
            ("admin\u{3000}", "must not begin or end with a space"),
            ("ad\nmin", "U+000A"),
            ("ad\u{1b}[31mmin", "U+001B"),
            ("ad\u{202e}nim", "U+202E"),
            ("admin\u{200b}", "U+200B"),
            (&long, "may have 100 characters; this one has 101"),
        ] {
            let reason = parse(name).expect_err(name);
            assert!(reason.contains(expected), "{name:?}: {reason}");
        }
    }

    #[test]
    fn what_shows_nothing_makes_no_other_name() {
        let hidden = [
            0xad, 0x61c, 0x115f, 0x1160, 0x180e, 0x200b, 0x200e, 0x200f, 0x2028, 0x202e, 0x2060, 0x206f, 0x3164,
            0xfeff, 0xffa0, 0xe0000, 0xe0041, 0xe007f,
        ];
        for code in hidden {
            let letter = char::from_u32(code).expect("a character");
            let reason = parse(&format!("ad{letter}min")).expect_err("hidden");
            assert!(reason.contains(&format!("U+{code:04X}")), "{reason}");
        }
    }
}
