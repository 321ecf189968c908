//! The four ways in which Okta and Entra speak SCIM, request by request as reference material records them.
//!
//! A driver turns a wish of its admin into requests and checks each answer as strictly as the real client does.

mod entra;
mod entra_patch;
mod okta;
mod okta_catalogue;
mod okta_wizard;

use rollcall_tests::Client;
use serde_json::Value;

use crate::company::{Group, Person};
use crate::endpoint::Endpoint;

/// URN of the core user schema (RFC 7643 section 4.1).
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// URN of the core group schema (RFC 7643 section 4.2).
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// URN of the enterprise extension (RFC 7643 section 4.3).
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// URN of a PATCH request (RFC 7644 section 3.5.2).
pub(crate) const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A kind of identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// An app made with Okta's integration wizard: PUT for everything, groups too.
    OktaWizard,
    /// An app of Okta's catalogue: profiles by PUT, `active` and groups by PATCH.
    OktaCatalogue,
    /// Entra as it comes: capitalised operations, one for each attribute, booleans as strings.
    Entra,
    /// Entra with the flag `aadOptscim062020` in the tenant URL.
    EntraWithFlag,
}

/// A person in the directory, as the provider remembers them: the person, their id, the id of their manager.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) person: Person,
    pub(crate) manager_id: Option<String>,
}

/// What a group becomes. Members are pairs of id and display name.
#[derive(Debug, Clone)]
pub(crate) struct GroupChange {
    pub(crate) id: String,
    pub(crate) before: Group,
    pub(crate) after: Group,
    pub(crate) added: Vec<(String, String)>,
    pub(crate) removed: Vec<(String, String)>,
    pub(crate) members: Vec<(String, String)>,
}

impl Driver {
    /// The profile to give its source.
    pub(crate) fn profile(self) -> &'static str {
        match self {
            Self::OktaWizard | Self::OktaCatalogue => "okta",
            Self::Entra | Self::EntraWithFlag => "entra",
        }
    }

    /// Whose headers it sends.
    pub(crate) fn client(self) -> Client {
        match self {
            Self::OktaWizard | Self::OktaCatalogue => Client::Okta,
            Self::Entra | Self::EntraWithFlag => Client::Entra,
        }
    }

    /// What its admin appended to the base URL.
    pub(crate) fn flag(self) -> Option<&'static str> {
        (self == Self::EntraWithFlag).then_some("aadOptscim062020")
    }

    /// Whether it names the manager in a second pass instead of in the creation.
    pub(crate) fn sends_managers_later(self) -> bool {
        matches!(self, Self::Entra | Self::EntraWithFlag)
    }

    /// The button "Test connection".
    pub(crate) async fn test_connection(self, scim: &Endpoint) -> anyhow::Result<()> {
        match self {
            Self::OktaWizard | Self::OktaCatalogue => okta::test_connection(scim).await,
            Self::Entra | Self::EntraWithFlag => entra::test_connection(scim).await,
        }
    }

    /// The id of the person, if somebody has the name already.
    pub(crate) async fn look_up(self, scim: &Endpoint, person: &Person) -> anyhow::Result<Option<String>> {
        let filter = format!("userName eq {}", Value::from(person.user_name.as_str()));
        let parameters = match self {
            Self::OktaWizard | Self::OktaCatalogue => "startIndex=1&count=100&",
            Self::Entra | Self::EntraWithFlag => "",
        };
        let found = scim.find("/Users", parameters, &filter).await?;
        Ok(found.and_then(|user| Some(user["id"].as_str()?.to_owned())))
    }

    /// Creates. `None`: 409, somebody has the name.
    pub(crate) async fn create(
        self,
        scim: &Endpoint,
        person: &Person,
        manager_id: Option<&str>,
    ) -> anyhow::Result<Option<String>> {
        match self {
            Self::OktaWizard | Self::OktaCatalogue => okta::create(scim, person, manager_id).await,
            Self::Entra | Self::EntraWithFlag => entra::create(scim, person).await,
        }
    }

    /// Brings the profile of somebody known up to date. `active` stays as it is.
    pub(crate) async fn update(self, scim: &Endpoint, before: &Known, after: &Known) -> anyhow::Result<()> {
        match self {
            Self::OktaWizard | Self::OktaCatalogue => okta::put_profile(scim, after, before.person.active).await,
            Self::Entra => entra_patch::update(scim, before, after).await,
            Self::EntraWithFlag => entra_patch::update_with_flag(scim, before, after).await,
        }
    }

    /// Deactivates or reactivates.
    pub(crate) async fn set_active(self, scim: &Endpoint, known: &Known, active: bool) -> anyhow::Result<()> {
        match self {
            Self::OktaWizard => okta::put_profile(scim, known, active).await,
            Self::OktaCatalogue => okta_catalogue::set_active(scim, &known.id, active).await,
            Self::Entra | Self::EntraWithFlag => {
                entra_patch::set_active(scim, &known.id, active, self == Self::EntraWithFlag).await
            }
        }
    }

    /// Finds a group by its name, or creates it without members. Returns its id.
    pub(crate) async fn create_group(self, scim: &Endpoint, group: &Group) -> anyhow::Result<String> {
        match self {
            Self::OktaWizard | Self::OktaCatalogue => okta::create_group(scim, group).await,
            Self::Entra | Self::EntraWithFlag => entra::create_group(scim, group).await,
        }
    }

    /// Renames a group, adds and removes members.
    pub(crate) async fn change_group(self, scim: &Endpoint, change: &GroupChange) -> anyhow::Result<()> {
        match self {
            Self::OktaWizard => okta_wizard::change_group(scim, change).await,
            Self::OktaCatalogue => okta_catalogue::change_group(scim, change).await,
            Self::Entra | Self::EntraWithFlag => {
                entra_patch::change_group(scim, change, self == Self::EntraWithFlag).await
            }
        }
    }
}
