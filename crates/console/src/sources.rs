//! The sources: by what each may come in, how it is understood, switch by switch, and changing that.
//!
//! Every control is a button of its own, so that a page which refreshes itself has nothing half filled in to lose.

use crate::credentials::{Way, ways};
use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::InPath;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::age::{When, moment};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, State};
use axum::response::{Redirect, Response};
use rollcall_api::edge::request_id::RequestId;
use rollcall_api::services::sources::{self, ProfileView, SourceChange, SourceSwitchView, SourceView};
use rollcall_provisioning::ids::SourceId;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// All sources.
#[derive(Template)]
#[template(path = "sources.html")]
struct Sources {
    as_of: String,
    rows: Vec<Row>,
}

struct Row {
    key: String,
    href: String,
    name: String,
    profile: &'static str,
    overridden: Vec<String>,
    heard: Option<When>,
}

impl Row {
    fn of(source: &SourceView, now: OffsetDateTime) -> Self {
        let overridden = source.switches.iter().filter(|switch| switch.overridden);
        Self {
            key: format!("row-{}", source.id),
            href: format!("/console/sources/{}", source.id),
            name: source.name.clone(),
            profile: source.profile,
            overridden: overridden.map(|one| format!("{} = {}", one.switch.name, one.switch.value)).collect(),
            heard: source.last_heard_at.map(|at| When::past(at, now)),
        }
    }
}

/// One source.
#[derive(Template)]
#[template(path = "source.html")]
struct Source {
    as_of: String,
    row: Row,
    address: String,
    about: &'static str,
    others: Vec<ProfileView>,
    ways: Vec<Way>,
    switches: Vec<Switch>,
}

struct Switch {
    name: &'static str,
    value: String,
    /// The other positions.
    others: Vec<String>,
    overridden: bool,
    profile_value: String,
    does: &'static str,
    why: &'static str,
    client: &'static str,
}

impl Switch {
    fn of(view: &SourceSwitchView) -> Self {
        let others = view.switch.values.iter().filter(|value| **value != view.switch.value);
        Self {
            name: view.switch.name,
            value: view.switch.value.to_string(),
            others: others.map(ToString::to_string).collect(),
            overridden: view.overridden,
            profile_value: view.profile_value.to_string(),
            does: view.switch.does,
            why: view.switch.why,
            client: view.switch.client,
        }
    }
}

impl Source {
    fn of(source: &SourceView, ways: Vec<Way>, now: OffsetDateTime) -> Self {
        let (own, others): (Vec<_>, Vec<_>) =
            sources::profiles().into_iter().partition(|profile| profile.name == source.profile);
        Self {
            as_of: moment(now),
            row: Row::of(source, now),
            address: format!("/console/sources/{}", source.id),
            about: own.first().map_or("", |profile| profile.about),
            others,
            ways,
            switches: source.switches.iter().map(Switch::of).collect(),
        }
    }
}

/// `GET /console/sources`.
pub(crate) async fn list(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
) -> Result<Response, Trouble> {
    let found = sources::list(state.api().store(), operator.tenant).await?;
    let now = state.now();
    let rows = found.iter().map(|source| Row::of(source, now)).collect();
    page(&view, &operator, ("Sources", Section::Sources), &Sources { as_of: moment(now), rows })
}

/// `GET /console/sources/{id}`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(id): InPath,
) -> Result<Response, Trouble> {
    let id = SourceId(id);
    let source = sources::read(state.api().store(), operator.tenant, id).await?;
    let ways = ways(&state, operator.tenant, source.id).await?;
    page(&view, &operator, (&source.name, Section::Sources), &Source::of(&source, ways, state.now()))
}

/// What a button says: another profile, or a switch with a value; without a value the switch goes back to the profile.
#[derive(Deserialize)]
pub(crate) struct Asked {
    profile: Option<String>,
    switch: Option<String>,
    value: Option<String>,
}

impl Asked {
    /// The change as a merge patch; `None` when it is none.
    fn patch(&self) -> Option<Value> {
        match (&self.profile, &self.switch, self.value.as_deref()) {
            (Some(profile), None, None) => Some(json!({ "profile": profile })),
            (None, Some(switch), value) => {
                let value = match value {
                    None | Some("") => Value::Null,
                    Some("true") => true.into(),
                    Some("false") => false.into(),
                    Some(word) => word.into(),
                };
                Some(json!({ "overrides": { (switch.as_str()): value } }))
            }
            _ => None,
        }
    }
}

/// `POST /console/sources/{id}`.
pub(crate) async fn change(
    State(state): State<ConsoleState>,
    operator: Operator,
    Extension(request): Extension<RequestId>,
    InPath(id): InPath,
    asked: Result<Form<Asked>, FormRejection>,
) -> Result<Redirect, Trouble> {
    let id = SourceId(id);
    let patch = asked.ok().and_then(|Form(asked)| asked.patch()).ok_or(Trouble::NoSuchPage)?;
    let store = state.api().store();
    let by = operator.as_author(&state).await?;
    sources::change(store, operator.tenant, id, (by, request.as_str()), &SourceChange::parse(&patch)?).await?;
    // Other processes hear of it in a moment; whoever comes to this one need not wait for that.
    state.api().credentials().invalidate_all();
    tracing::info!(tenant = %operator.tenant, source = %id, "an operator has changed a source");
    Ok(Redirect::to(&format!("/console/sources/{id}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, NOW};
    use rollcall_api::services::sources::SwitchValue;
    use uuid::Uuid;

    /// A source that speaks as Entra.
    fn source() -> SourceView {
        let entra = sources::profiles().into_iter().find(|profile| profile.name == "entra").expect("a profile");
        let switches = entra.switches.into_iter().map(|switch| SourceSwitchView {
            profile_value: switch.value,
            overridden: false,
            switch,
        });
        SourceView {
            id: Uuid::from_u128(7),
            name: HOSTILE.to_owned(),
            profile: "entra",
            overrides: json!({}),
            switches: switches.collect(),
            created_at: NOW,
            last_heard_at: None,
        }
    }

    fn rendered(source: &SourceView) -> String {
        Source::of(source, Vec::new(), NOW).render().expect("a page")
    }

    /// The part of a page that is about one switch.
    fn about<'a>(page: &'a str, switch: &str) -> &'a str {
        let (_, after) = page.split_once(&format!("id=\"switch-{switch}\"")).expect(switch);
        after.split_once("</li>").expect("its end").0
    }

    #[test]
    fn every_switch_is_there_with_what_it_does_and_a_button_for_each_other_position() {
        let source = source();
        let page = rendered(&source);
        let escaped = |text: &str| text.replace('"', "&#34;").replace('\'', "&#39;").replace('<', "&#60;");
        for SourceSwitchView { switch, .. } in &source.switches {
            let part = about(&page, switch.name);
            for text in [switch.does, switch.why, switch.client] {
                assert!(part.contains(&escaped(text)), "{text}: {part}");
            }
            for value in &switch.values {
                let button = part.contains(&format!("name=\"value\" value=\"{value}\""));
                assert_eq!(button, *value != switch.value, "{}={value}: {part}", switch.name);
            }
            assert!(!part.contains("overridden") && !part.contains("Back to the profile"), "{part}");
        }
        for profile in sources::profiles() {
            let button = page.contains(&format!("name=\"profile\" value=\"{}\"", profile.name));
            assert_eq!(button, profile.name != "entra", "{}", profile.name);
        }
    }

    #[test]
    fn an_overridden_switch_says_where_the_profile_has_it_and_can_go_back() {
        let mut source = source();
        for one in source.switches.iter_mut().filter(|one| one.switch.name == "string_booleans") {
            (one.switch.value, one.overridden) = (SwitchValue::Boolean(false), true);
        }
        let page = rendered(&source);
        let part = about(&page, "string_booleans");
        assert!(part.contains("overridden") && part.contains("entra has true"), "{part}");
        assert!(part.contains("Back to the profile"), "{part}");
        assert!(!about(&page, "restore_on_post").contains("overridden"));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let sources = Sources { as_of: String::new(), rows: vec![Row::of(&source(), NOW)] };
        for page in [rendered(&source()), sources.render().expect("a page")] {
            assert!(page.contains("alert(1)") && !page.contains("<script"), "{page}");
        }
    }

    #[test]
    fn a_button_becomes_a_change() {
        let asked = |profile: Option<&str>, switch: Option<&str>, value: Option<&str>| {
            let text = |text: Option<&str>| text.map(str::to_owned);
            Asked { profile: text(profile), switch: text(switch), value: text(value) }.patch()
        };
        for (profile, switch, value, wanted) in [
            (Some("okta"), None, None, Some(json!({ "profile": "okta" }))),
            (None, Some("a"), Some("true"), Some(json!({ "overrides": { "a": true } }))),
            (None, Some("a"), Some("false"), Some(json!({ "overrides": { "a": false } }))),
            (None, Some("a"), Some("full"), Some(json!({ "overrides": { "a": "full" } }))),
            (None, Some("a"), Some(""), Some(json!({ "overrides": { "a": null } }))),
            (None, Some("a"), None, Some(json!({ "overrides": { "a": null } }))),
            (None, None, Some("true"), None),
            (Some("okta"), Some("a"), None, None),
            (None, None, None, None),
        ] {
            assert_eq!(asked(profile, switch, value), wanted, "{profile:?} {switch:?} {value:?}");
        }
    }
}
