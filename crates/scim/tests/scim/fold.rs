//! Names that are one name.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::{Profile as _, Rules as _};
use proptest::prelude::*;
use rollcall_scim::fold::{fold, widths};

#[test]
fn spellings_of_one_name_have_one_key() {
    let cases = [
        ("Bjensen@Example.COM", "bjensen@example.com"),
        ("ＡＢＣ１２３", "abc123"),
        ("e\u{301}tienne", "\u{e9}tienne"),
        ("ΟΔΟΣ", "οδοσ"),
        ("οδος", "οδοσ"),
        ("张伟", "张伟"),
        ("ｶﾞﾀ", "ガタ"),
        ("ａ\u{3000}ｂ", "a b"),
        ("ǅ", "ǆ"),
        ("ᾈ", "ᾀ"),
        ("İ", "i\u{307}"),
        ("Guest_Contoso.com#EXT#@Fabrikam.OnMicrosoft.com", "guest_contoso.com#ext#@fabrikam.onmicrosoft.com"),
        (" a b ", " a b "),
        ("", ""),
    ];
    for (text, key) in cases {
        assert_eq!(fold(text), key, "{text}");
    }
}

#[test]
fn different_names_keep_different_keys() {
    for (one, other) in
        [("ab", "a b"), ("straße", "strasse"), ("jose", "josé"), ("张伟", "张玮"), ("ﬁn", "fin"), ("x²", "x2")]
    {
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

#[test]
fn every_width_is_mapped_to_something_plain() {
    let (wide, plain) = widths();
    assert_eq!(wide.chars().count(), plain.chars().count());
    assert!(wide.contains('Ａ') && wide.contains('ｱ') && wide.contains('\u{3000}'), "{wide}");
    for (wide, plain) in wide.chars().zip(plain.chars()) {
        assert_eq!(fold(&wide.to_string()), fold(&plain.to_string()), "{wide:?}");
    }
    let all = '\0'..=char::MAX;
    let beyond: Vec<char> = all.filter(|letter| *letter < '\u{3000}' || *letter > '\u{ffff}').collect();
    let rule = UsernameCaseMapped::new();
    for letter in beyond.into_iter().map(String::from) {
        assert_eq!(rule.width_mapping_rule(letter.as_str()).as_deref(), Ok(letter.as_str()), "outside the table");
    }
}

/// Texts where folding has something to do: letters with accents in any order, width, title case, sigmas, Hangul.
fn odd_text() -> impl Strategy<Value = String> {
    let odd: Vec<char> =
        "aZ ſßẞİıIΣςσΑᾈᾳᾼǅǆÅåΩÉｶﾞﾊﾟＡａ각\u{1100}\u{1161}\u{11a8}\u{301}\u{307}\u{323}\u{345}\u{3099}\u{309a}\u{3000}#@"
            .chars()
            .collect();
    prop_oneof![
        any::<String>(),
        prop::collection::vec(prop_oneof![prop::sample::select(odd), any::<char>()], 0..8)
            .prop_map(|letters| letters.into_iter().collect()),
    ]
}

proptest! {
    #[test]
    fn folding_twice_changes_nothing(text in odd_text()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    /// Where the profile accepts a name, its key is what the profile makes of it; but for the final sigma, and for
    /// title case, which the profile's implementation does not always lower.
    #[test]
    fn names_that_precis_accepts_are_folded_as_it_says(text in odd_text()) {
        if let Ok(enforced) = UsernameCaseMapped::new().enforce(text.as_str()) {
            let enforced: String = enforced.chars().flat_map(char::to_lowercase).collect();
            prop_assert_eq!(fold(&text), enforced.replace('ς', "σ"));
        }
    }

    #[test]
    fn case_never_matters(text in "[a-zA-Zà-þα-ωА-я0-9@._ -]{0,20}") {
        prop_assert_eq!(fold(&text.to_uppercase().to_lowercase()), fold(&text.to_lowercase()));
    }
}
