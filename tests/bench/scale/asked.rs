//! What is asked of both directories.

use std::ops::Range;

use anyhow::ensure;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::operation::{NUMBER, external_id, request, user_name};
use crate::scale::directory::{BUSY, Directory};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Members that come and go at once.
const MANY: u64 = 500;

/// The first page of everybody.
pub(crate) const FIRST_PAGE: &str = "/scim/v2/Users?cursor=&count=1000";

/// The page behind a cursor.
pub(crate) fn page(cursor: &str) -> String {
    format!("/scim/v2/Users?count=1000&cursor={}", encode(cursor))
}

/// One kind of request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    Id,
    UserName,
    ExternalId,
    Email,
    EmployeeNumber,
    Busy,
    GroupName,
    IsMember,
    Add,
    Remove,
    AddMany,
    RemoveMany,
    FirstPage,
    LastPage,
}

/// Requests that follow each other.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// The round.
    pub(crate) round: u32,
    /// Their numbers.
    pub(crate) turns: Range<u64>,
    /// Whether they take back what the others do.
    pub(crate) undoes: bool,
    /// Whether their time counts.
    pub(crate) counts: bool,
}

impl Asked {
    /// All, in the order in which they are measured.
    pub(crate) const ALL: [Self; 14] = [
        Self::Id,
        Self::UserName,
        Self::ExternalId,
        Self::Email,
        Self::EmployeeNumber,
        Self::Busy,
        Self::GroupName,
        Self::IsMember,
        Self::FirstPage,
        Self::LastPage,
        Self::Add,
        Self::Remove,
        Self::AddMany,
        Self::RemoveMany,
    ];

    /// A name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Id => "user by id",
            Self::UserName => "user by userName",
            Self::ExternalId => "user by externalId",
            Self::Email => "user by e-mail",
            Self::EmployeeNumber => "user by employeeNumber",
            Self::Busy => "user in 1,000 groups",
            Self::GroupName => "group by displayName, without members",
            Self::IsMember => "is somebody in the large group",
            Self::Add => "add to the large group",
            Self::Remove => "remove from it",
            Self::AddMany => "add 500 at once",
            Self::RemoveMany => "remove 500 at once",
            Self::FirstPage => "first page by cursor, 1,000 people",
            Self::LastPage => "last full page by cursor",
        }
    }

    /// What is sent in a round. Whoever is added is removed, so that every round finds the same directory.
    pub(crate) fn parts(self, round: u32, requests: u32) -> Vec<Part> {
        let requests = match self {
            Self::AddMany | Self::RemoveMany | Self::FirstPage | Self::LastPage => requests.div_ceil(20),
            _ => requests,
        };
        let part = |undoes, counts| Part { round, turns: 0..u64::from(requests), undoes, counts };
        match self {
            Self::Add | Self::AddMany => vec![part(false, true), part(true, false)],
            Self::Remove | Self::RemoveMany => vec![part(false, false), part(true, true)],
            _ => vec![part(false, true)],
        }
    }

    /// A request of a round.
    pub(crate) fn request(self, directory: &Directory, part: &Part, turn: u64) -> String {
        // Spread over all people, and others in every round.
        let somebody = (turn + u64::from(part.round) * 10_007).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        let number = || directory.number(somebody).to_string();
        let of_number = |text: String| text.replace(NUMBER, &number());
        let path = match self {
            Self::Id => format!("/scim/v2/Users/{}", directory.person(somebody)),
            Self::UserName => users("userName", &of_number(user_name())),
            Self::ExternalId => users("externalId", &of_number(external_id())),
            Self::Email => users("emails.value", &of_number(user_name())),
            Self::EmployeeNumber => users(&format!("{ENTERPRISE}:employeeNumber"), &number()),
            Self::Busy => format!("/scim/v2/Users/{}", directory.person(0)),
            Self::GroupName => {
                let filter = format!("displayName eq \"{}\"", directory.team(somebody));
                format!("/scim/v2/Groups?excludedAttributes=members&filter={}", encode(&filter))
            }
            Self::IsMember => {
                let member = directory.person(somebody % u64::from(directory.members));
                let filter = format!("id eq \"{}\" and members eq \"{member}\"", directory.large);
                format!("/scim/v2/Groups?excludedAttributes=members&filter={}", encode(&filter))
            }
            Self::FirstPage => FIRST_PAGE.to_owned(),
            Self::LastPage => directory.last_page.clone(),
            Self::Add | Self::Remove => return membership(directory, turn..turn + 1, part.undoes),
            Self::AddMany | Self::RemoveMany => {
                return membership(directory, turn * MANY..(turn + 1) * MANY, part.undoes);
            }
        };
        request("GET", &path, None, &directory.api.host, &directory.api.token)
    }

    /// Whether the answer shows what was looked for.
    pub(crate) fn check(self, body: &[u8]) -> anyhow::Result<()> {
        #[derive(Deserialize)]
        struct Shown {
            #[serde(rename = "Resources")]
            resources: Option<Vec<IgnoredAny>>,
            groups: Option<Vec<IgnoredAny>>,
        }
        let shown: Shown = serde_json::from_slice(body)?;
        let found = shown.resources.map(|resources| resources.len());
        match self {
            Self::Id | Self::Add | Self::Remove | Self::AddMany | Self::RemoveMany => ensure!(found.is_none()),
            Self::Busy => ensure!(shown.groups.is_some_and(|groups| groups.len() >= BUSY as usize)),
            Self::FirstPage | Self::LastPage => ensure!(found == Some(1000), "{found:?} people"),
            _ => ensure!(found == Some(1), "{found:?} found"),
        }
        Ok(())
    }
}

fn users(attribute: &str, value: &str) -> String {
    format!("/scim/v2/Users?filter={}", encode(&format!("{attribute} eq \"{value}\"")))
}

/// Adds to the large group who is not in it, or removes them again, as Entra writes it.
fn membership(directory: &Directory, turns: Range<u64>, undoes: bool) -> String {
    let first = u64::from(directory.members);
    let members: Vec<Value> = turns.map(|turn| json!({ "value": directory.person(first + turn) })).collect();
    let op = if undoes { "remove" } else { "add" };
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": op, "path": "members", "value": members }],
    });
    let path = format!("/scim/v2/Groups/{}?excludedAttributes=members", directory.large);
    request("PATCH", &path, Some(&body), &directory.api.host, &directory.api.token)
}

/// A text as part of a URL's query.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
