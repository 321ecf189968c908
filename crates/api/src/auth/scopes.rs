//! What a credential may do: read or write, users or groups.
//!
//! A request needs what its route and its method say; no handler has to think of it. Writing includes the answer that shows
//! what was written, and a resource is shown whole: its references to others too.

use http::Method;
use std::fmt;

/// One right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Scope {
    /// Read users, list and search them.
    UsersRead = 1,
    /// Create, change and delete users.
    UsersWrite = 2,
    /// Read groups, list and search them.
    GroupsRead = 4,
    /// Create, change and delete groups, and change their members.
    GroupsWrite = 8,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::UsersRead, Self::UsersWrite, Self::GroupsRead, Self::GroupsWrite];

    /// The word in a request for a token, in settings and in refusals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::GroupsRead => "groups:read",
            Self::GroupsWrite => "groups:write",
        }
    }

    /// The right behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// No right.
    pub const NONE: Self = Self(0);
    /// Every right.
    pub const ALL: Self = Self(15);

    /// The rights that these words name; words that name none are returned as the error.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut scopes = Self::NONE;
        for word in words {
            scopes = scopes.with(Scope::parse(word).ok_or_else(|| word.to_owned())?);
        }
        Ok(scopes)
    }

    /// The rights of a stored list; `None` are all. Words of a later version grant nothing here.
    pub fn stored(words: Option<&[String]>) -> Self {
        let known = |words: &[String]| words.iter().filter_map(|word| Scope::parse(word)).fold(Self::NONE, Self::with);
        words.map_or(Self::ALL, known)
    }

    /// The same with one right more.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope as u8)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in `self` and not in `held`.
    #[must_use]
    pub const fn beyond(self, held: Self) -> Self {
        Self(self.0 & !held.0)
    }

    /// True if there is no right in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The words of its rights.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & *scope as u8 != 0).map(Scope::as_str)
    }
}

/// As a request for a token lists them: words with spaces between them (RFC 6749 §3.3).
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

/// What a SCIM request needs. `route` is the route as registered, such as `/scim/v2/Users/{id}`.
///
/// `/Bulk` itself needs nothing, since each of its operations is judged like a request of its own. A route that is not known
/// here needs everything.
pub(crate) fn needed(route: &str, method: &Method) -> Scopes {
    let mut parts =
        route.strip_prefix(crate::scim::base::PATH).unwrap_or("?").split('/').filter(|part| !part.is_empty());
    let (first, last) = (parts.next(), parts.next_back());
    let reads = matches!(*method, Method::GET | Method::HEAD) || [first, last].contains(&Some(".search"));
    let (read, write) = match first {
        Some("Users") => (Scope::UsersRead, Scope::UsersWrite),
        Some("Groups") => (Scope::GroupsRead, Scope::GroupsWrite),
        None | Some(".search") => return Scopes::NONE.with(Scope::UsersRead).with(Scope::GroupsRead),
        Some("Bulk" | "Me" | "ServiceProviderConfig" | "Schemas" | "ResourceTypes") => return Scopes::NONE,
        Some(_) => return Scopes::ALL,
    };
    Scopes::NONE.with(if reads { read } else { write })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_needs_its_right() {
        for (method, route, words) in [
            ("GET", "/Users", "users:read"),
            ("GET", "/Users/", "users:read"),
            ("HEAD", "/Users/{id}", "users:read"),
            ("POST", "/Users", "users:write"),
            ("POST", "//Users/", "users:write"),
            ("PUT", "/Users/{id}", "users:write"),
            ("PATCH", "//Users/{id}", "users:write"),
            ("DELETE", "/Users/{id}/", "users:write"),
            ("POST", "/Users/.search", "users:read"),
            ("POST", "/Users/.search/", "users:read"),
            ("GET", "/Groups", "groups:read"),
            ("POST", "/Groups", "groups:write"),
            ("PATCH", "/Groups/{id}", "groups:write"),
            ("POST", "//Groups/.search", "groups:read"),
            ("POST", "/.search", "users:read groups:read"),
            ("POST", "/.search/", "users:read groups:read"),
            ("GET", "", "users:read groups:read"),
            ("GET", "/", "users:read groups:read"),
            ("POST", "/Bulk", ""),
            ("GET", "/Me", ""),
            ("GET", "/Schemas/{urn}", ""),
            ("GET", "/Devices", "users:read users:write groups:read groups:write"),
        ] {
            let method = method.parse::<Method>().expect("a method");
            assert_eq!(needed(&format!("/scim/v2{route}"), &method).to_string(), words, "{method} {route}");
        }
        assert_eq!(needed("/api/v1/targets", &Method::GET), Scopes::ALL, "of another interface");
    }

    #[test]
    fn words_and_sets() {
        assert_eq!(Scopes::parse(Scope::ALL.map(Scope::as_str)), Ok(Scopes::ALL));
        assert_eq!(Scopes::parse(["users:read", "users"]), Err("users".to_owned()));
        assert_eq!(Scopes::stored(None), Scopes::ALL);
        assert_eq!(
            Scopes::stored(Some(&["users:read".to_owned(), "devices:read".to_owned()])).to_string(),
            "users:read"
        );
        assert_eq!(Scopes::stored(Some(&[])), Scopes::NONE);
    }
}
