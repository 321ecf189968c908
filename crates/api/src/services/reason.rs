//! Why somebody does something: kept beside it, and shown to whoever reads of it later.

use crate::error::ApiError;

/// Longest reason, in characters.
const LONGEST: usize = 1_000;

/// The reason, without the spaces around it.
///
/// # Errors
/// 400 when it says nothing, or too much.
pub(super) fn given(text: &str) -> Result<&str, ApiError> {
    within(text, LONGEST)
}

/// The same of one that may have so many characters.
///
/// # Errors
/// As [`given`].
pub(super) fn within(text: &str, longest: usize) -> Result<&str, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > longest {
        return Err(ApiError::parameter("reason", format!("must say why, in 1 to {longest} characters")));
    }
    Ok(text)
}
