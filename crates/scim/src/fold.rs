//! The key by which `userName`, `displayName` and all other texts that are not case-exact are compared.

use std::sync::LazyLock;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::Rules as _;

/// No character before this one has a width.
const FIRST_WIDE: char = '\u{3000}';

/// Folds a string so that two spellings of one name give the same key.
///
/// These are the mappings of the PRECIS profile `UsernameCaseMapped` (RFC 8265 §3.3), which RFC 7644 §5 asks for: wide
/// and half-width letters become plain ones, every letter becomes lower case, and what is composed of a letter and its
/// accents is one letter (NFC). The profile's list of forbidden characters is left out, since real user names hold
/// spaces and `#EXT#`; control characters are refused where a name is read. The original spelling is what is stored
/// and returned.
///
/// Letters are lowered one by one. The Greek final sigma counts as a sigma, so that the key of a part is part of the
/// key. Folding a key again gives the same key.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let profile = UsernameCaseMapped::new();
    // Not the profile's own rule for case: it leaves alone what is neither upper nor lower case, such as the title-case
    // `ǅ`, unless a capital stands before it.
    let lower = |text: &str| -> String {
        text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
    };
    // Neither rule refuses anything; their type allows it for those of other profiles.
    let lowered = if text.chars().any(|letter| letter >= FIRST_WIDE) {
        profile.width_mapping_rule(text).map_or_else(|_| lower(text), |narrow| lower(&narrow))
    } else {
        lower(text)
    };
    profile.normalization_rule(lowered.as_str()).map(std::borrow::Cow::into_owned).unwrap_or(lowered)
}

/// The wide and half-width characters, and in the same places the plain ones that they are folded to; for a database
/// that must fold as [`fold`] does.
pub fn widths() -> (&'static str, &'static str) {
    static WIDTHS: LazyLock<(String, String)> = LazyLock::new(|| {
        let profile = UsernameCaseMapped::new();
        let plain = |wide: char| {
            let wide = wide.to_string();
            let narrow = profile.width_mapping_rule(wide.as_str()).ok()?;
            (*narrow != *wide).then(|| narrow.chars().next()).flatten()
        };
        (FIRST_WIDE..='\u{ffff}').filter_map(|wide| Some((wide, plain(wide)?))).unzip()
    });
    (&WIDTHS.0, &WIDTHS.1)
}
