//! The key by which `userName` and `displayName` are compared.

use unicode_normalization::UnicodeNormalization as _;

/// Folds a string so that two spellings of one name give the same key.
///
/// Compatibility normalisation (NFKC: full-width letters, ligatures, composed accents), lower case character by
/// character, and normalisation again because lowering can decompose. The Greek final sigma counts as a sigma,
/// so that the key does not depend on what follows a letter. This is the comparison side of PRECIS
/// `UsernameCaseMapped` (RFC 8265 §3.3) without its list of forbidden characters, since real user names hold
/// spaces. The original spelling is what is stored and returned.
///
/// Folding a key again gives the same key.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).nfkc().collect()
}
