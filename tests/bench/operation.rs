//! The measured operations, and the requests that ask for them.
//!
//! Everything about a person follows from one number of twelve digits. A request is made once, with a placeholder of
//! the same length where the number goes, and only its digits are overwritten from then on: making requests then
//! costs next to nothing, and the processor is left to those who are measured. The same number makes pgbench's
//! parameters.

use serde_json::{Value, json};

use crate::options::Part;

/// Where a person's number goes. No other text of a request or a statement holds these digits.
pub(crate) const NUMBER: &str = "909090909090";

/// Where a number goes that is new with every request, so that a change changes something.
pub(crate) const FRESH: &str = "808080808080";

/// The number of the first person. With a plus sign in front it is a mobile number of the United Arab Emirates, which
/// have twelve digits.
pub(crate) const FIRST: u64 = 971_500_000_000;

/// How far the ranges of numbers lie apart that different parts of the benchmark give to new people.
pub(crate) const RANGE: u64 = 10_000_000;

/// What the id of a person who was put into the directory beforehand begins with; the number is the rest.
pub(crate) const ID_PREFIX: &str = "01990000-0000-7000-8000-";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// One kind of request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    /// Reads a person by id.
    Get,
    /// Finds a person by userName.
    Filter,
    /// Changes a person's title.
    Patch,
    /// Adds a person.
    Create,
}

impl Operation {
    /// In the order in which they are measured: what adds rows comes last.
    pub(crate) const ALL: [Self; 4] = [Self::Get, Self::Filter, Self::Patch, Self::Create];

    /// The part of the benchmark.
    pub(crate) const fn part(self) -> Part {
        match self {
            Self::Get => Part::Get,
            Self::Filter => Part::Filter,
            Self::Patch => Part::Patch,
            Self::Create => Part::Create,
        }
    }

    /// A name for people and files.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "get by id",
            Self::Filter => "filter userName",
            Self::Patch => "patch title",
            Self::Create => "create",
        }
    }

    /// The share of pgbench's rate that we want to reach.
    pub(crate) const fn goal(self) -> f64 {
        match self {
            Self::Get | Self::Filter => 0.6,
            Self::Patch => 0.7,
            Self::Create => 0.8,
        }
    }

    /// The status of success.
    pub(crate) const fn success(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::Get | Self::Filter | Self::Patch => 200,
        }
    }

    /// Whether rows are written.
    pub(crate) const fn writes(self) -> bool {
        matches!(self, Self::Patch | Self::Create)
    }

    /// The request, with [`NUMBER`] and [`FRESH`] where they go. `host` is an address and port.
    pub(crate) fn request(self, host: &str, token: &str) -> String {
        let id = format!("{ID_PREFIX}{NUMBER}");
        match self {
            Self::Get => request("GET", &format!("/scim/v2/Users/{id}"), None, host, token),
            Self::Filter => {
                let path = format!("/scim/v2/Users?filter=userName%20eq%20%22{}%22", user_name().replace('@', "%40"));
                request("GET", &path, None, host, token)
            }
            Self::Patch => patch_request(&id, host, token),
            Self::Create => request("POST", "/scim/v2/Users", Some(&person()), host, token),
        }
    }
}

/// The request that changes the title of the person with this id.
pub(crate) fn patch_request(id: &str, host: &str, token: &str) -> String {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "title", "value": format!("Engineer {FRESH}") }],
    });
    request("PATCH", &format!("/scim/v2/Users/{id}"), Some(&body), host, token)
}

/// The request that says of the person with this id that they have left.
pub(crate) fn leave_request(id: &str, host: &str, token: &str) -> String {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "active", "value": false }],
    });
    request("PATCH", &format!("/scim/v2/Users/{id}"), Some(&body), host, token)
}

/// One HTTP/1.1 request as text; the connection stays open.
pub(crate) fn request(method: &str, path: &str, body: Option<&Value>, host: &str, token: &str) -> String {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nAccept: application/scim+json\r\n"
    );
    match body.map(Value::to_string) {
        None => format!("{head}\r\n"),
        Some(body) => {
            let length = body.len();
            format!("{head}Content-Type: application/scim+json\r\nContent-Length: {length}\r\n\r\n{body}")
        }
    }
}

/// The `userName` of a person, and the address.
pub(crate) fn user_name() -> String {
    format!("person.{NUMBER}@bench.example")
}

/// What the client calls a person.
pub(crate) fn external_id() -> String {
    format!("bench-{NUMBER}")
}

/// A person as identity providers send them, about 700 bytes.
pub(crate) fn person() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": user_name(),
        "externalId": external_id(),
        "active": true,
        "displayName": "Grace Gardner",
        "name": { "givenName": "Grace", "familyName": "Gardner" },
        "title": "Engineer",
        "preferredLanguage": "en-HK",
        "emails": [{ "type": "work", "value": user_name(), "primary": true }],
        "phoneNumbers": [{ "type": "mobile", "value": format!("+{NUMBER}") }],
        ENTERPRISE: {
            "employeeNumber": NUMBER, "organization": "Sample Trading Hong Kong", "division": "Technology",
            "department": "Platform",
        },
    })
}
