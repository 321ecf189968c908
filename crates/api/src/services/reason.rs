//! Why somebody does something: kept beside it, and shown to whoever reads of it later.

use crate::error::ApiError;

/// Longest reason, in characters.
const LONGEST: usize = 1_000;

/// The reason, without the spaces around it.
///
/// # Errors
/// 400 when it says nothing, or too much.
pub(super) fn given(text: &str) -> Result<&str, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(ApiError::parameter("reason", format!("must say why, in 1 to {LONGEST} characters")));
    }
    Ok(text)
}
