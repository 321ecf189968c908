//! What a source's client does differently from the RFCs, as named switches.
//!
//! A switch exists only where a tolerance contradicts the RFC or another client, or where the RFC leaves a choice that
//! clients take differently. Tolerances that contradict nobody (case of names, `""` as "clear", a manager sent as a
//! plain string, a value on `remove`) are always on.
//!
//! Each switch is declared once, in the table below: its name and type, what it does, why it exists and whose client
//! needs it. The struct, the lists that people are shown and the reading of overrides all follow from that table. A
//! profile is a position for every switch; a source names a profile and may override single switches
//! ([`Overrides`]).

mod overrides;
mod position;
mod switch;

pub use overrides::{Overrides, SwitchError};
pub use position::{GroupPatchResponse, ManagerBy, PatchResponse, Position};
pub use switch::{Switch, SwitchKind};

use switch::switches;

switches! {
    string_booleans: bool {
        does: "\"True\" and \"false\" as strings count as booleans, in bodies, PATCH paths and filters. Answers always \
               hold real booleans.",
        why: "RFC 7643 section 2.3.2 has booleans as JSON literals; refusing the string would leave leavers active.",
        client: "Entra ID: its default PATCH dialect (\"active\": \"False\") and role mappings",
    }
    create_on_no_match: bool {
        does: "PATCH on a path such as emails[type eq \"work\"].value creates the element when none matches, if the \
               filter says what it should be like.",
        why: "RFC 7644 section 3.5.2.3 wants 400 noTarget, after which the attribute would never arrive.",
        client: "Entra ID: every attribute that it maps into a list",
    }
    replace_keeps_parts: bool {
        does: "PATCH replace on emails[type eq \"work\"] sets the parts that the value names and keeps the others.",
        why: "RFC 7644 section 3.5.2.3 replaces the whole element; one sent without its type would then not be found \
              by its own filter any more.",
        client: "Entra ID, and scripts that follow its dialect",
    }
    dangling_members: bool {
        does: "Group members whose id is unknown are kept, and count as soon as somebody has that id. Otherwise the \
               request is refused with 400 invalidValue.",
        why: "The RFC permits both; refusing a whole push for one unknown member stops provisioning for everybody else.",
        client: "Okta and Entra ID: groups that are pushed before, or without, some of their people",
    }
    bare_filter_words: bool {
        does: "A word without quotes is a string in filters: externalId eq jyoung.",
        why: "RFC 7644 section 3.4.2.2 has JSON values only; a look-up that is refused stops provisioning.",
        client: "authentik, and requests copied from Entra's documentation",
    }
    restore_on_post: bool {
        does: "POST of an inactive person whom the same source has created, or given an externalId, brings that person \
               back, with the same id. Otherwise it is 409 uniqueness, or another person.",
        why: "An inactive person still exists (RFC 7644 section 3.3), so 409 is right; but a client that creates again \
              would never get past it.",
        client: "Okta: people who are assigned again; HR feeds: people who are hired again",
    }
    unknown_attributes_ignored: bool {
        does: "Attributes that no schema defines are left out of bodies, and of PATCH paths that name an extension. \
               Otherwise the request is refused with 400.",
        why: "Administrators map attributes that nobody declared; the rest of the person should arrive all the same.",
        client: "every provider with a mapping that people can edit",
    }
    scim_1_schemas: bool {
        does: "A body that names the core schema of SCIM 1.x (urn:scim:schemas:core:1.0) in \"schemas\" is read as one \
               of SCIM 2.0.",
        why: "RFC 7643 section 3 wants the schema of SCIM 2.0 to be named; the attributes are the same for what such \
              clients send.",
        client: "OneLogin: templates of its generic connector",
    }
    unwrap_role_values: bool {
        does: "A role whose value is a text such as {\"id\":\"…\",\"value\":\"Admin\",\"displayName\":\"Admin\"} is kept \
               as value \"Admin\" with display \"Admin\". Otherwise the text is kept as it was sent.",
        why: "The RFC has the value as the role itself, so filters and mappings could not see it in such a text. The \
              same text sent again changes nothing, since it is read in the same way each time.",
        client: "Entra ID: the mapping AppRoleAssignmentsComplex and its assertive form",
    }
    text_references: bool {
        does: "Any text is taken as the value of an attribute that holds a URI, such as profileUrl, photos.value or one of \
               a tenant's own schema. Otherwise what is no URI, whole or relative, is refused with 400 invalidValue.",
        why: "RFC 7643 section 2.3.7 has a URI there (RFC 3986 section 4.1); refusing the person for the address of a \
              picture would stop provisioning.",
        client: "every provider with a mapping that people can edit: they put names of files, or \"not set\", there",
    }
    manager_by: ManagerBy {
        does: "How manager.value finds the manager: by the id of a user (id), by the externalId that the same source \
               gives the manager or by the manager's employeeNumber. It is kept and shown as it was sent, the manager may arrive later, and an \
               id is understood in any position.",
        why: "RFC 7643 section 4.3 has the id of the manager's resource there, which a client that only pushes never \
              learns.",
        client: "HR feeds written for Workday, which know people by worker id",
    }
    patch_response_users: PatchResponse {
        does: "How a PATCH of a user that succeeded is answered: with 200 and the user (full), or with 204 \
               (no_content). A client that asks for attributes in the URL always gets 200.",
        why: "RFC 7644 section 3.5.2 permits both. Clients read the answer to learn what was stored.",
        client: "integrations that take only one of the two",
    }
    patch_response_groups: GroupPatchResponse {
        does: "How a PATCH of a group that succeeded is answered: with 200 and the group (full), with 200 and the \
               group but its members (without_members), or with 204 (no_content). A client that asks for attributes \
               in the URL always gets 200.",
        why: "RFC 7644 section 3.5.2 permits 204; a member list in each answer makes a large group slow, and nobody \
              reads it.",
        client: "Entra ID advises 204; Okta reads the group's other attributes from the answer",
    }
}

/// Everything tolerated; PATCH answers bodies, but never a member list. The base of the named profiles.
const GENERIC: Profile = Profile {
    name: "generic",
    about: "For a client that nobody knows: everything is tolerated.",
    string_booleans: true,
    create_on_no_match: true,
    replace_keeps_parts: true,
    dangling_members: true,
    bare_filter_words: true,
    restore_on_post: true,
    unknown_attributes_ignored: true,
    scim_1_schemas: true,
    unwrap_role_values: true,
    text_references: true,
    manager_by: ManagerBy::Id,
    patch_response_users: PatchResponse::Full,
    patch_response_groups: GroupPatchResponse::WithoutMembers,
};

/// Okta finds the group's other attributes in the answer and accepts it without members.
const OKTA: Profile =
    Profile { name: "okta", about: "For Okta: catalogue apps, the app wizard and group push.", ..GENERIC };

/// Entra finds people by filter before it creates them, so a POST never means "restore"; it advises 204 for
/// groups.
const ENTRA: Profile = Profile {
    name: "entra",
    about: "For Microsoft Entra ID, in both of its PATCH dialects.",
    restore_on_post: false,
    patch_response_groups: GroupPatchResponse::NoContent,
    ..GENERIC
};

/// Feeds written for Workday send full snapshots; a re-hire comes as a POST of the same worker. They find people by the
/// worker id that they send as `externalId`, and that is the only one they always have for a manager:
/// `employeeNumber` is something that administrators map or do not, and contingent workers have none.
const WORKDAY: Profile = Profile {
    name: "workday",
    about: "For an HR feed, such as a Workday Studio or Orchestrate script, that pushes snapshots and knows people by \
            worker id.",
    manager_by: ManagerBy::ExternalId,
    ..GENERIC
};

/// The RFCs to the letter, for conformance runs.
const STRICT: Profile = Profile {
    name: "strict",
    about: "The RFCs to the letter, for conformance suites.",
    string_booleans: false,
    create_on_no_match: false,
    replace_keeps_parts: false,
    dangling_members: false,
    bare_filter_words: false,
    restore_on_post: false,
    unknown_attributes_ignored: false,
    scim_1_schemas: false,
    unwrap_role_values: false,
    text_references: false,
    manager_by: ManagerBy::Id,
    patch_response_users: PatchResponse::Full,
    patch_response_groups: GroupPatchResponse::Full,
};

const ALL: [Profile; 5] = [OKTA, ENTRA, WORKDAY, GENERIC, STRICT];

impl Profile {
    /// The profile of that name, or `None`.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|profile| profile.name == name)
    }

    /// All profiles, without overrides.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter()
    }

    /// All names that [`Profile::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::all().map(|profile| profile.name)
    }

    /// The tolerant profile for a client nobody named.
    pub const fn generic() -> Self {
        GENERIC
    }

    /// The RFCs to the letter.
    pub const fn strict() -> Self {
        STRICT
    }

    /// The profile with some switches in other positions. It keeps its name.
    #[must_use]
    pub fn with(mut self, overrides: &Overrides) -> Self {
        for (switch, position) in overrides.iter() {
            switch.put(&mut self, position);
        }
        self
    }
}
