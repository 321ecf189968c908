//! Entity tags and preconditions (RFC 7644 §3.14).
//!
//! A version is the counter of the resource's row. Tags are weak, as in every SCIM example; preconditions
//! compare the opaque part and ignore `W/`, because strong comparison would never match a weak tag.

use crate::error::Error;

/// The `ETag` of a version: `W/"<n>"`. `meta.version` carries the same text.
pub fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// Judges `If-Match`: absent, `*`, or a list that names the version lets the request through.
///
/// # Errors
/// 412 when the header names other versions only.
pub fn if_match(header: Option<&str>, version: i64) -> Result<(), Error> {
    match header {
        None => Ok(()),
        Some(header) if names(header, version) => Ok(()),
        Some(_) => Err(Error::precondition_failed(&etag(version))),
    }
}

/// Judges `If-None-Match` of a GET: true means the client has this version already and gets 304.
pub fn if_none_match(header: Option<&str>, version: i64) -> bool {
    header.is_some_and(|header| names(header, version))
}

/// True if the comma-separated list of entity tags holds `*` or the version. A tag without quotes is
/// tolerated, since `meta.version` is often copied by hand.
fn names(header: &str, version: i64) -> bool {
    let wanted = version.to_string();
    header.split(',').map(str::trim).any(|tag| {
        let opaque = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
        tag == "*" || opaque.trim_matches('"') == wanted
    })
}
