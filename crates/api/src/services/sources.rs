//! The sources of a tenant: which profile each has, what that means switch by switch, and what of it is its own.

use crate::error::ApiError;
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_scim::profile::{Overrides, Position, Profile, Switch};
use rollcall_store::Store;
pub use rollcall_store::sources::SetUpBy;
use rollcall_store::sources::Source;
use rollcall_store::write::UpdateError;
use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// The position of a switch: a boolean, or one of the words of the switch.
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(untagged)]
pub enum SwitchValue {
    /// On or off.
    Boolean(bool),
    /// One of the words of the switch.
    Word(&'static str),
}

impl From<Position> for SwitchValue {
    fn from(position: Position) -> Self {
        match position {
            Position::Bool(on) => Self::Boolean(on),
            Position::Word(word) => Self::Word(word),
        }
    }
}

impl fmt::Display for SwitchValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(on) => on.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// A switch, and where it stands.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct SwitchView {
    /// Its name.
    #[schema(example = "string_booleans")]
    pub name: &'static str,
    /// Where it stands.
    pub value: SwitchValue,
    /// Every position that it has.
    pub values: Vec<SwitchValue>,
    /// What it does.
    pub does: &'static str,
    /// Why it exists.
    pub why: &'static str,
    /// Whose client needs it.
    pub client: &'static str,
}

impl SwitchView {
    fn of(switch: &Switch, profile: &Profile) -> Self {
        Self {
            name: switch.name,
            value: switch.of(profile).into(),
            values: switch.kind.positions().into_iter().map(SwitchValue::from).collect(),
            does: switch.does,
            why: switch.why,
            client: switch.client,
        }
    }
}

/// A profile: a position for every switch.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct ProfileView {
    /// Its name.
    #[schema(example = "entra")]
    pub name: &'static str,
    /// For whom it is.
    pub about: &'static str,
    /// Its switches.
    pub switches: Vec<SwitchView>,
}

/// A switch of a source.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct SourceSwitchView {
    /// The switch, as it stands for this source.
    #[serde(flatten)]
    pub switch: SwitchView,
    /// Where the profile has it.
    pub profile_value: SwitchValue,
    /// Whether the source has a position of its own, also if the profile happens to have the same.
    pub overridden: bool,
}

/// A source.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct SourceView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The name of its profile.
    #[schema(example = "entra")]
    pub profile: &'static str,
    /// Only the overridden switches, each with its value; what a change may send back.
    #[schema(value_type = Object)]
    pub overrides: Value,
    /// All switches.
    pub switches: Vec<SourceSwitchView>,
    /// When it was set up.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last sent a request; absent if it never did.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_heard_at: Option<OffsetDateTime>,
}

impl SourceView {
    /// The source as people see it.
    pub fn of(source: &Source) -> Self {
        let effective = source.effective();
        let switches = Switch::all().iter().map(|switch| SourceSwitchView {
            switch: SwitchView::of(switch, &effective),
            profile_value: switch.of(&source.profile).into(),
            overridden: source.overrides.get(switch).is_some(),
        });
        Self {
            id: source.id.0,
            name: source.name.clone(),
            profile: source.profile.name,
            overrides: source.overrides.to_json(),
            switches: switches.collect(),
            created_at: source.created_at,
            last_heard_at: source.last_heard_at,
        }
    }
}

/// All profiles with all switches.
pub fn profiles() -> Vec<ProfileView> {
    let view = |profile: Profile| ProfileView {
        name: profile.name,
        about: profile.about,
        switches: Switch::all().iter().map(|switch| SwitchView::of(switch, &profile)).collect(),
    };
    Profile::all().map(view).collect()
}

/// The sources of a tenant, by name.
pub async fn list(store: &Store, tenant: TenantId) -> Result<Vec<SourceView>, ApiError> {
    Ok(store.sources(tenant).await?.iter().map(SourceView::of).collect())
}

/// One source.
///
/// # Errors
/// [`ApiError::NotFound`].
pub async fn read(store: &Store, tenant: TenantId, id: SourceId) -> Result<SourceView, ApiError> {
    let source = store.source(tenant, id).await?.ok_or_else(|| no_source(&id.to_string()))?;
    Ok(SourceView::of(&source))
}

/// There is no such source.
pub fn no_source(named: &str) -> ApiError {
    ApiError::NotFound { what: format!("the source {}", quoted(named)) }
}

/// What is to become of a source. What it does not name stays.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SourceChange {
    /// Another profile; the overrides stay.
    pub profile: Option<Profile>,
    /// Whether all overrides are taken away before others are made.
    pub reset_all: bool,
    /// Switches with their values; `null` resets one.
    pub overrides: Map<String, Value>,
}

impl SourceChange {
    /// Reads a merge patch (RFC 7396) of `profile` and `overrides`.
    ///
    /// # Errors
    /// 400 for a member that cannot be changed, and for a profile that there is not. Switches are looked at when the
    /// change is made.
    pub fn parse(patch: &Value) -> Result<Self, ApiError> {
        let mut change = Self::default();
        for (name, value) in patch.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("profile", value) => change.profile = Some(profile(value)?),
                ("overrides", Value::Null) => change.reset_all = true,
                ("overrides", Value::Object(overrides)) => change.overrides.clone_from(overrides),
                ("overrides", _) => {
                    return Err(ApiError::parameter("overrides", "must be an object of switch names and values"));
                }
                (name, _) => {
                    let problem = format!("holds {}; only profile and overrides can be changed", quoted(name));
                    return Err(ApiError::parameter("body", problem));
                }
            }
        }
        Ok(change)
    }

    fn applied_to(&self, source: &Source) -> Result<(Profile, Overrides), ApiError> {
        let before = if self.reset_all { Overrides::default() } else { source.overrides.clone() };
        let overrides = before
            .merged(&self.overrides)
            .map_err(|error| ApiError::parameter("overrides", format!("cannot be used: {error}")))?;
        Ok((self.profile.unwrap_or(source.profile), overrides))
    }
}

fn profile(value: &Value) -> Result<Profile, ApiError> {
    value.as_str().and_then(Profile::named).ok_or_else(|| {
        let names: Vec<&str> = Profile::names().collect();
        ApiError::parameter("profile", format!("cannot be {}; the profiles are {}", given(value), names.join(", ")))
    })
}

fn given(value: &Value) -> String {
    value.as_str().map_or_else(|| "anything but a string".to_owned(), quoted)
}

/// Changes a source; the next request that it sends is served so. A change that changes nothing leaves no trace.
///
/// # Errors
/// [`ApiError::NotFound`], and 400 for a switch or a value that there is not: nothing is changed then.
pub async fn change(
    store: &Store,
    tenant: TenantId,
    id: SourceId,
    (by, request_id): (SetUpBy, &str),
    change: &SourceChange,
) -> Result<SourceView, ApiError> {
    let changed = store.change_source(tenant, id, (by, request_id), |source| change.applied_to(source)).await;
    match changed {
        Ok(updated) => Ok(SourceView::of(&updated.value)),
        Err(UpdateError::NotFound) => Err(no_source(&id.to_string())),
        Err(UpdateError::Refused(refusal)) => Err(refusal),
        Err(UpdateError::Store(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source() -> Source {
        let overrides = Overrides::parse(&json!({ "string_booleans": false })).expect("overrides");
        Source {
            id: SourceId(Uuid::nil()),
            name: "okta".to_owned(),
            profile: Profile::named("okta").expect("a profile"),
            overrides,
            created_at: OffsetDateTime::UNIX_EPOCH,
            last_heard_at: None,
        }
    }

    #[test]
    fn a_change_is_a_merge_patch() {
        let cases = [
            (json!({}), "okta", json!({ "string_booleans": false })),
            (json!({ "profile": "entra" }), "entra", json!({ "string_booleans": false })),
            (json!({ "overrides": null }), "okta", json!({})),
            (json!({ "overrides": {} }), "okta", json!({ "string_booleans": false })),
            (json!({ "overrides": { "string_booleans": null } }), "okta", json!({})),
            (
                json!({ "profile": "strict", "overrides": { "manager_by": "id" } }),
                "strict",
                json!({ "string_booleans": false, "manager_by": "id" }),
            ),
        ];
        for (patch, profile, overrides) in cases {
            let change = SourceChange::parse(&patch).expect("a change");
            let (became, switches) = change.applied_to(&source()).expect("it can be made");
            assert_eq!((became.name, switches.to_json()), (profile, overrides), "{patch}");
        }
    }

    #[test]
    fn what_cannot_be_changed_is_told_with_what_can() {
        let cases = [
            (json!({ "profile": null }), "the profiles are okta, entra, workday, generic, strict"),
            (json!({ "profile": "Okta" }), "\"profile\" cannot be \"Okta\"; the profiles are"),
            (json!({ "overrides": [] }), "\"overrides\" must be an object"),
            (json!({ "name": "x" }), "\"name\"; only profile and overrides can be changed"),
            (
                json!({ "overrides": { "nope": true } }),
                "there is no switch \"nope\"; the switches are string_booleans, ",
            ),
            (json!({ "overrides": { "manager_by": 1 } }), "cannot be 1; it can be id, externalId, employeeNumber"),
        ];
        for (patch, wanted) in cases {
            let made = SourceChange::parse(&patch).and_then(|change| change.applied_to(&source()));
            let told = made.expect_err("a refusal").to_string();
            assert!(told.contains(wanted), "{patch}: {told}");
        }
    }
}
