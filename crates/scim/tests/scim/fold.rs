//! Names that are one name.

use proptest::prelude::*;
use rollcall_scim::fold::fold;

#[test]
fn spellings_of_one_name_have_one_key() {
    let cases = [
        ("Bjensen@Example.COM", "bjensen@example.com"),
        ("ＡＢＣ１２３", "abc123"),
        ("e\u{301}tienne", "\u{e9}tienne"),
        ("ΟΔΟΣ", "οδοσ"),
        ("οδος", "οδοσ"),
        ("张伟", "张伟"),
        ("ﬁnance", "finance"),
        (" a b ", " a b "),
        ("", ""),
    ];
    for (text, key) in cases {
        assert_eq!(fold(text), key, "{text}");
    }
}

#[test]
fn different_names_keep_different_keys() {
    for (one, other) in [("ab", "a b"), ("straße", "strasse"), ("jose", "josé"), ("张伟", "张玮")] {
        assert_ne!(fold(one), fold(other), "{one} {other}");
    }
}

#[test]
fn folding_any_character_twice_changes_nothing() {
    for character in '\0'..=char::MAX {
        let once = fold(&character.to_string());
        assert_eq!(fold(&once), once, "{character:?}");
    }
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn case_never_matters(text in "[a-zA-Zà-þα-ωА-я0-9@._ -]{0,20}") {
        prop_assert_eq!(fold(&text.to_uppercase().to_lowercase()), fold(&text.to_lowercase()));
    }
}
