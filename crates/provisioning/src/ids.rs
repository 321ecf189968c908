//! Identifiers. One type per kind of thing, so that a tenant's id cannot be handed over as a target's.

use std::fmt;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// One organisation: its directory, sources, targets and mapping.
    TenantId
);
id!(
    /// One configured SCIM client of a tenant.
    SourceId
);
id!(
    /// One configured DingTalk organisation of a tenant.
    TargetId
);
id!(
    /// A user, a group or an org unit of a tenant. For users and groups it is the SCIM `id`.
    ResourceId
);
id!(
    /// One way in: a token, a password, a secret or the keys of an OAuth client (not the secret itself).
    CredentialId
);
id!(
    /// One OAuth 2.0 client of a source.
    OauthClientId
);

/// What kind of thing a delivery or a link speaks about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ResourceKind {
    /// A SCIM User.
    User,
    /// A SCIM Group.
    Group,
    /// A department, derived from the users' attributes.
    OrgUnit,
}

impl ResourceKind {
    /// The word used in tables, JSON and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::OrgUnit => "org_unit",
        }
    }

    /// The kind behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::User, Self::Group, Self::OrgUnit].into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where new ids come from. The binary hands out time-ordered UUIDs (version 7); tests hand out a series.
pub trait IdSource: Send + Sync {
    /// A new id, never handed out before.
    fn new_id(&self) -> Uuid;
}
