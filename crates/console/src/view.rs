//! How a page was asked for: whole or only its changing part, refreshing itself or not.

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;
use std::convert::Infallible;

/// The header by which our script asks for the changing part alone.
pub(crate) const FRAGMENT: HeaderName = HeaderName::from_static("rollcall-fragment");

const STAY: &str = "refresh=off";
const RETRIED: &str = "retried=";

/// How a page was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct View {
    /// Only the part that changes, for the script.
    pub(crate) fragment: bool,
    /// Whether the page refreshes itself.
    pub(crate) refreshing: bool,
    /// How many deliveries a retry has marked, just before.
    pub(crate) retried: Option<u64>,
    is_still: bool,
    path: String,
    query: Vec<String>,
}

impl View {
    /// The page of this path and query.
    pub(crate) fn of(path: &str, query: &str, fragment: bool) -> Self {
        let mut view = Self {
            fragment,
            refreshing: true,
            retried: None,
            is_still: false,
            path: path.to_owned(),
            query: Vec::new(),
        };
        for part in query.split('&').filter(|part| !part.is_empty()) {
            if part == STAY {
                view.refreshing = false;
            } else if let Some(count) = part.strip_prefix(RETRIED) {
                view.retried = count.parse().ok();
            } else {
                view.query.push(part.to_owned());
            }
        }
        view
    }

    /// The same page, which never refreshes itself: there is something on it to fill in or to copy.
    #[must_use]
    pub(crate) fn still(self) -> Self {
        Self { refreshing: false, is_still: true, ..self }
    }

    /// The address of this page, as a person would share it.
    pub(crate) fn address(&self) -> String {
        self.with(if self.refreshing { None } else { Some(STAY) })
    }

    /// The address of this page with its refreshing turned off, or on again; `None` where there is no choice.
    pub(crate) fn toggled(&self) -> Option<String> {
        (!self.is_still).then(|| self.with(if self.refreshing { Some(STAY) } else { None }))
    }

    fn with(&self, extra: Option<&str>) -> String {
        let parts: Vec<&str> = self.query.iter().map(String::as_str).chain(extra).collect();
        if parts.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, parts.join("&")) }
    }
}

impl<S: Sync> FromRequestParts<S> for View {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let fragment = parts.headers.contains_key(FRAGMENT);
        Ok(Self::of(parts.uri.path(), parts.uri.query().unwrap_or_default(), fragment))
    }
}

/// An address to go to after a form, if it is one of the console's own; else the home page.
pub(crate) fn ours(address: Option<&str>) -> &str {
    let own = |address: &&str| {
        let rest = address.strip_prefix("/console");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
            && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    address.filter(own).unwrap_or("/console")
}

/// The address with the outcome of a retry.
pub(crate) fn with_retried(address: &str, marked: u64) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{RETRIED}{marked}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_once_is_not_shared() {
        let view = View::of("/console/people", "state=held&retried=3&target=x", false);
        assert_eq!((view.retried, view.refreshing), (Some(3), true));
        assert_eq!(view.address(), "/console/people?state=held&target=x");
        assert_eq!(view.toggled().as_deref(), Some("/console/people?state=held&target=x&refresh=off"));
        let quiet = View::of("/console", "refresh=off", false);
        assert_eq!((quiet.address().as_str(), quiet.toggled().as_deref()), ("/console?refresh=off", Some("/console")));
        assert_eq!(View::of("/console", "", false).still().toggled(), None);
        assert_eq!(View::of("/console", "retried=%3Cscript%3E", false).retried, None);
        assert_eq!(with_retried("/console", 2), "/console?retried=2");
        assert_eq!(with_retried("/console?a=b", 2), "/console?a=b&retried=2");
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (address, expected) in [
            (None, "/console"),
            (Some("/console"), "/console"),
            (Some("/console?state=held"), "/console?state=held"),
            (Some("/console/people/1"), "/console/people/1"),
            (Some("/consoles"), "/console"),
            (Some("https://evil.example/console"), "/console"),
            (Some("//evil.example/console"), "/console"),
            (Some("/console/\\evil"), "/console"),
            (Some("/console/\r\nSet-Cookie: x=y"), "/console"),
        ] {
            assert_eq!(ours(address), expected, "{address:?}");
        }
    }
}
