//! The style sheet, the script and the icon, served from the binary.
//!
//! Their addresses carry a mark of their content, so that a browser may keep them for ever and still never shows an
//! old one.

use crate::trouble::Trouble;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const STYLE: Asset = Asset {
    name: "console.css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("../assets/console.css"),
};
const SCRIPT: Asset = Asset {
    name: "console.js",
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("../assets/console.js"),
};
const ICON: Asset =
    Asset { name: "icon.svg", media_type: "image/svg+xml", content: include_str!("../assets/icon.svg") };

/// Where the assets are.
pub(crate) struct Addresses {
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) icon: String,
}

static ADDRESSES: LazyLock<Addresses> =
    LazyLock::new(|| Addresses { style: address(&STYLE), script: address(&SCRIPT), icon: address(&ICON) });

/// Where the assets are.
pub(crate) fn addresses() -> &'static Addresses {
    &ADDRESSES
}

fn address(asset: &Asset) -> String {
    let mut mark = DefaultHasher::new();
    asset.content.hash(&mut mark);
    format!("/console/assets/{}?v={:016x}", asset.name, mark.finish())
}

/// `/console/assets/{name}`.
pub(crate) async fn serve(name: Result<Path<String>, PathRejection>) -> Response {
    let named = |asset: &Asset| name.as_ref().is_ok_and(|Path(name)| asset.name == name);
    match [STYLE, SCRIPT, ICON].into_iter().find(named) {
        None => Trouble::NoSuchPage.into_response(),
        Some(asset) => {
            let kept = "public, max-age=31536000, immutable";
            ([(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, kept)], asset.content).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_stays_small() {
        assert!(SCRIPT.content.lines().count() <= 60);
    }

    #[test]
    fn the_style_knows_no_left_and_right() {
        for word in ["left", "right"] {
            let found = STYLE.content.lines().find(|line| line.contains(word));
            assert_eq!(found, None, "only logical properties, which mirror by themselves");
        }
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        for asset in [STYLE, SCRIPT] {
            assert!(!asset.content.contains("//"), "{} names another host, or has a comment that looks so", asset.name);
        }
    }
}
