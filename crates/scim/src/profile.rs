//! What a source's client does differently from the RFCs, as named switches.
//!
//! A switch exists only where a tolerance contradicts the RFC or another client. Tolerances that contradict
//! nobody (case of names, `""` as "clear", a manager sent as a plain string, a value on `remove`) are always on.

/// How a successful PATCH is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchResponse {
    /// 200 with the whole resource.
    Full,
    /// 200 with the resource but without the attributes that are kept apart (group members).
    WithoutMembers,
    /// 204 without a body.
    NoContent,
}

/// [`PatchResponse`] for each kind of resource. An `attributes` parameter in the URL always gets 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PatchResponses {
    /// Answer to PATCH on `/Users`.
    pub users: PatchResponse,
    /// Answer to PATCH on `/Groups`.
    pub groups: PatchResponse,
}

/// The switches of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches, each named after what it tolerates")]
pub struct Profile {
    /// Name by which a source refers to the profile.
    pub name: &'static str,
    /// `"True"` and `"false"` count as booleans in bodies, PATCH paths and filters. Entra sends them in its
    /// default PATCH dialect and in role mappings; strict conformance runs want 400.
    pub string_booleans: bool,
    /// PATCH on `emails[type eq "work"].value` creates the element when none matches. Entra relies on it; RFC
    /// 7644 §3.5.2.3 wants 400 `noTarget`.
    pub create_on_no_match: bool,
    /// PATCH `replace` on `emails[type eq "work"]` sets the parts that the value names and keeps the others, so that
    /// an element stays the one its filter finds. RFC 7644 §3.5.2.3 has the whole element replaced.
    pub replace_keeps_parts: bool,
    /// Group members whose id is unknown are stored and resolved later. Refusing a whole push for one unknown
    /// member stops provisioning; strict runs want 400.
    pub dangling_members: bool,
    /// A word without quotes is a string in filters: `externalId eq jyoung` (Entra's documents, authentik).
    pub bare_filter_words: bool,
    /// POST of an inactive person by the same client restores that person instead of 409 (Okta re-assignment).
    pub restore_on_post: bool,
    /// Unknown attributes in bodies and unknown extension attributes in PATCH paths are left out instead of
    /// refused, because administrators map attributes nobody declared.
    pub unknown_attributes_ignored: bool,
    /// How a successful PATCH is answered.
    pub patch_response: PatchResponses,
}

/// Everything tolerated; PATCH answers bodies, but never a member list. The base of the named profiles.
const GENERIC: Profile = Profile {
    name: "generic",
    string_booleans: true,
    create_on_no_match: true,
    replace_keeps_parts: true,
    dangling_members: true,
    bare_filter_words: true,
    restore_on_post: true,
    unknown_attributes_ignored: true,
    patch_response: PatchResponses { users: PatchResponse::Full, groups: PatchResponse::WithoutMembers },
};

/// Okta finds the group's other attributes in the answer and accepts it without members.
const OKTA: Profile = Profile { name: "okta", ..GENERIC };

/// Entra finds people by filter before it creates them, so a POST never means "restore"; it advises 204 for
/// groups.
const ENTRA: Profile = Profile {
    name: "entra",
    restore_on_post: false,
    patch_response: PatchResponses { users: PatchResponse::Full, groups: PatchResponse::NoContent },
    ..GENERIC
};

/// Feeds written for Workday send full snapshots; a re-hire comes as a POST of the same worker.
const WORKDAY: Profile = Profile { name: "workday", ..GENERIC };

/// The RFCs to the letter, for conformance runs.
const STRICT: Profile = Profile {
    name: "strict",
    string_booleans: false,
    create_on_no_match: false,
    replace_keeps_parts: false,
    dangling_members: false,
    bare_filter_words: false,
    restore_on_post: false,
    unknown_attributes_ignored: false,
    patch_response: PatchResponses { users: PatchResponse::Full, groups: PatchResponse::Full },
};

const ALL: [&Profile; 5] = [&OKTA, &ENTRA, &WORKDAY, &GENERIC, &STRICT];

impl Profile {
    /// The profile of that name, or `None`.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|profile| profile.name == name).copied()
    }

    /// All names that [`Profile::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.into_iter().map(|profile| profile.name)
    }

    /// The tolerant profile for a client nobody named.
    pub const fn generic() -> Self {
        GENERIC
    }

    /// The RFCs to the letter.
    pub const fn strict() -> Self {
        STRICT
    }
}
