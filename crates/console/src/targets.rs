//! Targets: setting one up, its mode, its settings and its secret. A secret is taken, and never shown.

use crate::frame::{Section, page};
use crate::home::Mode;
use crate::operator::Operator;
use crate::query::InPath;
use crate::state::ConsoleState;
use crate::trouble::{Trouble, sentence, told_on_page, with_status};
use crate::view::View;
use crate::words::age::moment;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use rollcall_api::ApiError;
use rollcall_api::edge::request_id::RequestId;
use rollcall_api::refusal::Refusal;
use rollcall_api::services::new_target::{self, TargetRequest};
use rollcall_api::services::target_settings::{self, SettingView};
use rollcall_api::services::targets::{self, TargetView};
use rollcall_provisioning::ids::TargetId;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "targets.html")]
struct Targets {
    as_of: String,
    /// What was refused just now.
    problem: Option<String>,
    rows: Vec<Row>,
    name: String,
    app_key: String,
}

struct Row {
    href: String,
    name: String,
    mode: Mode,
    stopped: bool,
}

#[derive(Template)]
#[template(path = "target.html")]
struct Target {
    as_of: String,
    /// What was refused just now.
    problem: Option<String>,
    address: String,
    id: Uuid,
    name: String,
    kind: String,
    mode: Mode,
    /// The other modes, with what each means.
    modes: Vec<(&'static str, &'static str, &'static str)>,
    settings: Vec<Setting>,
}

struct Setting {
    name: &'static str,
    value: String,
    what: &'static str,
}

/// The modes: the word, what the button says, what it means.
const MODES: [(&str, &str, &str); 3] = [
    (
        "live",
        "Go live",
        "Everything that is held is sent, as far as guards let it pass, and so is every change from now on.",
    ),
    ("rehearsal", "Rehearse", "The target is read, plans are made, and nothing is sent but what a plan permits."),
    ("paused", "Pause", "Nothing is looked at and nothing is sent until sending goes on. What sources send is kept."),
];

/// A target to be set up.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct New {
    name: String,
    app_key: String,
    app_secret: String,
}

/// What the forms of one target say.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Changed {
    mode: String,
    /// A setting.
    name: String,
    value: String,
    app_secret: String,
}

/// `GET /console/targets`.
pub(crate) async fn list(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
) -> Result<Response, Trouble> {
    listed(&state, (&operator, view), &New::default(), None).await
}

async fn listed(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    typed: &New,
    refused: Option<&Refusal>,
) -> Result<Response, Trouble> {
    let now = state.now();
    let found = targets::list(state.api().store(), operator.tenant, now).await?;
    let row = |target: &TargetView| Row {
        href: format!("/console/targets/{}", target.id),
        name: target.name.clone(),
        mode: Mode::of_word(&target.mode),
        stopped: !target.stops.is_empty(),
    };
    let body = Targets {
        as_of: moment(now),
        problem: refused.map(sentence),
        rows: found.iter().map(row).collect(),
        name: typed.name.clone(),
        app_key: typed.app_key.clone(),
    };
    let answer = page(&view.still(), operator, ("Targets", Section::Targets), &body)?;
    Ok(with_status(answer, refused))
}

/// `POST /console/targets`: sets one up, in rehearsal.
pub(crate) async fn create(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    Extension(request): Extension<RequestId>,
    form: Result<Form<New>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(typed) = form.unwrap_or_default();
    let api = state.api();
    let by = (operator.as_author(&state).await?, request.as_str());
    let wanted = TargetRequest {
        name: typed.name.clone(),
        kind: None,
        settings: Map::from_iter([("app_key".to_owned(), Value::from(typed.app_key.trim()))]),
        secret: SecretString::from(typed.app_secret.trim()),
        mode: None,
    };
    match new_target::create(api.store(), api.kinds(), operator.tenant, by, wanted).await {
        Ok(made) => Ok(done(&state, &operator, made.id)),
        Err(error) => listed(&state, (&operator, view), &typed, Some(&told_on_page(error)?)).await,
    }
}

/// `GET /console/targets/{id}`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(id): InPath,
) -> Result<Response, Trouble> {
    shown(&state, (&operator, view), id, None).await
}

async fn shown(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    id: Uuid,
    refused: Option<&Refusal>,
) -> Result<Response, Trouble> {
    let (api, tenant, now) = (state.api(), operator.tenant, state.now());
    let found = target_settings::read(api.store(), api.kinds(), tenant, TargetId(id)).await?;
    let all = targets::list(api.store(), tenant, now).await?;
    let mode = all.iter().find(|target| target.id == id).map_or("", |target| target.mode.as_str());
    let body = Target {
        as_of: moment(now),
        problem: refused.map(sentence),
        address: format!("/console/targets/{id}"),
        id,
        name: found.target,
        kind: found.kind,
        mode: Mode::of_word(mode),
        modes: MODES.into_iter().filter(|(word, ..)| *word != mode).collect(),
        settings: found.settings.iter().map(Setting::of).collect(),
    };
    let answer = page(&view.still(), operator, ("A target", Section::Targets), &body)?;
    Ok(with_status(answer, refused))
}

impl Setting {
    fn of(view: &SettingView) -> Self {
        let value = match &view.value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Self { name: view.name, value, what: view.what }
    }
}

/// `POST /console/targets/{id}/mode`.
pub(crate) async fn set_mode(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    Extension(request): Extension<RequestId>,
    InPath(id): InPath,
    form: Result<Form<Changed>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Changed { mode, .. }) = form.unwrap_or_default();
    let by = (operator.as_author(&state).await?, request.as_str());
    let whose = (operator.tenant, TargetId(id));
    let changed = new_target::set_mode(state.api().store(), whose, by, &mode).await.map(drop);
    ended(&state, (operator, view), id, changed).await
}

/// `POST /console/targets/{id}/settings`: one setting; without a value it is as when nobody says anything.
pub(crate) async fn set(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    Extension(request): Extension<RequestId>,
    InPath(id): InPath,
    form: Result<Form<Changed>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Changed { name, value, .. }) = form.unwrap_or_default();
    let api = state.api();
    let by = (operator.as_author(&state).await?, request.as_str());
    let value = value.trim();
    let value = if value.is_empty() { Value::Null } else { target_settings::typed(&name, value) };
    let (whose, patch) = ((operator.tenant, TargetId(id)), Map::from_iter([(name, value)]));
    let changed = target_settings::change(api.store(), api.kinds(), whose, by, &patch).await.map(drop);
    ended(&state, (operator, view), id, changed).await
}

/// `POST /console/targets/{id}/secret`.
pub(crate) async fn set_secret(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    Extension(request): Extension<RequestId>,
    InPath(id): InPath,
    form: Result<Form<Changed>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Changed { app_secret, .. }) = form.unwrap_or_default();
    let api = state.api();
    let by = (operator.as_author(&state).await?, request.as_str());
    let (whose, secret) = ((operator.tenant, TargetId(id)), SecretString::from(app_secret.trim()));
    let changed = target_settings::set_secret(api.store(), api.kinds(), whose, by, &secret).await.map(drop);
    ended(&state, (operator, view), id, changed).await
}

/// Leads to the target's page.
fn done(state: &ConsoleState, operator: &Operator, id: Uuid) -> Response {
    state.overviews().forget(operator.tenant);
    Redirect::to(&format!("/console/targets/{id}")).into_response()
}

/// Leads back to the target; a refusal is shown on its page.
async fn ended(
    state: &ConsoleState,
    (operator, view): (Operator, View),
    id: Uuid,
    changed: Result<(), ApiError>,
) -> Result<Response, Trouble> {
    match changed {
        Ok(()) => Ok(done(state, &operator, id)),
        Err(error) => shown(state, (&operator, view), id, Some(&told_on_page(error)?)).await,
    }
}
