//! By what a source may come in: its credentials and OAuth clients, making a token, and revoking.
//!
//! A token is made on a page of its own, which does not refresh itself: there is something to fill in, and the token is shown
//! on the answer to the form and nowhere else.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::InPath;
use crate::state::ConsoleState;
use crate::trouble::{Trouble, capitalised};
use crate::view::View;
use crate::words::age::When;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_api::edge::request_id::RequestId;
use rollcall_api::services::credentials::{self, CredentialRequest, CredentialView};
use rollcall_api::services::oauth_clients::{self, OauthClientView};
use rollcall_api::services::sources;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, SourceId, TenantId};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// For how many days a token can be made. Providers ask for a new one once a year at most.
const LIVES: [u32; 3] = [90, 180, 365];

/// Something by which a source may come in, or an OAuth client that may have several.
pub(crate) struct Way {
    /// Unique in a page, so that the script finds the row again.
    pub(crate) key: String,
    /// What the form to revoke it names it as: `credential` or `client`.
    pub(crate) field: &'static str,
    pub(crate) id: Uuid,
    pub(crate) label: String,
    pub(crate) kind: &'static str,
    /// What it may do, unless that is everything or is said elsewhere.
    pub(crate) scopes: Option<String>,
    /// The public name of an OAuth client.
    pub(crate) client_id: Option<String>,
    /// The OAuth client that it is of.
    pub(crate) of: Option<String>,
    pub(crate) made: When,
    pub(crate) expires: Option<When>,
    /// When it was last used; an OAuth client is used by what it proves itself by.
    pub(crate) used: Option<When>,
    pub(crate) is_client: bool,
}

/// The live ways in of a source, newest first; what an OAuth client proves itself by stands after the client.
pub(crate) async fn ways(state: &ConsoleState, tenant: TenantId, source: Uuid) -> Result<Vec<Way>, Trouble> {
    let store = state.api().store();
    let credentials = credentials::list(store, tenant).await?;
    let clients = oauth_clients::list(store, tenant).await?;
    Ok(arranged(source, &credentials, &clients, state.now()))
}

/// Whether something is, or was, a way in of a source.
async fn is_way(state: &ConsoleState, tenant: TenantId, source: Uuid, id: Uuid) -> Result<bool, Trouble> {
    let store = state.api().store();
    let credentials = credentials::list(store, tenant).await?;
    let clients = oauth_clients::list(store, tenant).await?;
    let is_credential = credentials.iter().any(|view| view.id == id && view.source_id == Some(source));
    Ok(is_credential || clients.iter().any(|client| client.id == id && client.source_id == source))
}

fn arranged(
    source: Uuid,
    credentials: &[CredentialView],
    clients: &[OauthClientView],
    now: OffsetDateTime,
) -> Vec<Way> {
    let live = |view: &&CredentialView| {
        view.source_id == Some(source) && view.revoked_at.is_none() && view.expires_at.is_none_or(|end| now < end)
    };
    let live: Vec<&CredentialView> = credentials.iter().filter(live).collect();
    let own = live.iter().filter(|view| view.oauth_client_id.is_none());
    let mut ways: Vec<Way> = own.map(|view| Way::of(view, None, now)).collect();
    for client in clients.iter().filter(|client| client.source_id == source && client.revoked_at.is_none()) {
        ways.push(Way::of_client(client, now));
        let proofs = live.iter().filter(|view| view.oauth_client_id == Some(client.id));
        ways.extend(proofs.map(|view| Way::of(view, Some(client), now)));
    }
    ways
}

impl Way {
    fn of(view: &CredentialView, client: Option<&OauthClientView>, now: OffsetDateTime) -> Self {
        Self {
            key: format!("way-{}", view.id),
            field: "credential",
            id: view.id,
            label: view.label.clone(),
            kind: kind(view.kind),
            scopes: view.scopes.as_ref().map(|scopes| scopes.join(" ")),
            client_id: None,
            of: client.map(|client| client.label.clone()),
            made: When::past(view.created_at, now),
            expires: view.expires_at.map(|at| When::future(at, now)),
            used: view.last_used_at.map(|at| When::past(at, now)),
            is_client: false,
        }
    }

    fn of_client(client: &OauthClientView, now: OffsetDateTime) -> Self {
        Self {
            key: format!("way-{}", client.id),
            field: "client",
            id: client.id,
            label: client.label.clone(),
            kind: "OAuth client",
            scopes: client.scopes.as_ref().map(|scopes| scopes.join(" ")),
            client_id: Some(client.client_id.clone()),
            of: None,
            made: When::past(client.created_at, now),
            expires: None,
            used: None,
            is_client: true,
        }
    }
}

/// What people call a kind of credential.
fn kind(word: &'static str) -> &'static str {
    match word {
        "password" => "password (HTTP Basic)",
        "client_secret" => "client secret",
        "private_key_jwt" => "its own keys",
        "federation" => "federated identity",
        "issuer" => "trusted issuer",
        other => other,
    }
}

/// Making a token: the form, and what is shown when it was sent.
#[derive(Template)]
#[template(path = "token.html")]
struct TokenPage {
    name: String,
    source: String,
    address: String,
    lives: [u32; 3],
    /// The life that was chosen before, or the longest.
    chosen: u32,
    form: Filled,
    made: Option<Made>,
}

/// What the form says when it is shown.
#[derive(Default)]
struct Filled {
    /// Why it is shown again.
    problem: Option<String>,
    label: String,
    days: String,
}

/// A token that was made. It is shown once.
struct Made {
    token: String,
    label: String,
    expires: Option<When>,
}

impl TokenPage {
    fn of(name: &str, source: SourceId, form: Filled, made: Option<Made>) -> Self {
        let source = format!("/console/sources/{source}");
        let [.., longest] = LIVES;
        let chosen = LIVES.into_iter().find(|life| life.to_string() == form.days).unwrap_or(longest);
        Self { name: name.to_owned(), address: format!("{source}/token"), source, lives: LIVES, chosen, form, made }
    }
}

/// `GET /console/sources/{id}/token`.
pub(crate) async fn form(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(id): InPath,
) -> Result<Response, Trouble> {
    let id = SourceId(id);
    let source = sources::read(state.api().store(), operator.tenant, id).await?;
    let form = TokenPage::of(&source.name, id, Filled::default(), None);
    page(&view.still(), &operator, (&source.name, Section::Sources), &form)
}

/// What the form says of a token.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Wanted {
    label: String,
    days: String,
}

/// `POST /console/sources/{id}/token`. Shows the token, once; or the form again, when it cannot be made like that.
pub(crate) async fn make(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    Extension(request): Extension<RequestId>,
    InPath(id): InPath,
    wanted: Result<Form<Wanted>, FormRejection>,
) -> Result<Response, Trouble> {
    let id = SourceId(id);
    let Form(Wanted { label, days }) = wanted.unwrap_or_default();
    let (store, now) = (state.api().store(), state.now());
    let source = sources::read(store, operator.tenant, id).await?;
    let asked = CredentialRequest {
        kind: "token".to_owned(),
        source_id: Some(id.0),
        label: label.clone(),
        // What is no number is as little a life as none is.
        days: Some(days.trim().parse().unwrap_or(0)),
        ..CredentialRequest::default()
    };
    let by = (operator.as_author(&state).await?, request.as_str());
    let made = match credentials::create(store, operator.tenant, by, asked, now).await {
        Err(error) if error.refusal().status.is_client_error() => {
            let refusal = error.refusal();
            let form = Filled { problem: Some(capitalised(&refusal.detail)), label, days };
            let form = TokenPage::of(&source.name, id, form, None);
            let shown = page(&view.still(), &operator, (&source.name, Section::Sources), &form)?;
            return Ok((refusal.status, shown).into_response());
        }
        end => end?,
    };
    tracing::info!(tenant = %operator.tenant, source = %id, credential = %made.id, "an operator has made a token");
    let made =
        Made { token: made.token.unwrap_or_default(), label, expires: made.expires_at.map(|at| When::future(at, now)) };
    let shown = TokenPage::of(&source.name, id, Filled::default(), Some(made));
    page(&view.still(), &operator, (&source.name, Section::Sources), &shown)
}

/// What is to be revoked.
#[derive(Deserialize)]
pub(crate) struct Refused {
    credential: Option<Uuid>,
    client: Option<Uuid>,
}

/// `POST /console/sources/{id}/revoke`. What is revoked already, because somebody else was faster, stays so.
pub(crate) async fn revoke(
    State(state): State<ConsoleState>,
    operator: Operator,
    Extension(request): Extension<RequestId>,
    InPath(id): InPath,
    refused: Result<Form<Refused>, FormRejection>,
) -> Result<Redirect, Trouble> {
    let Form(refused) = refused.map_err(|_| Trouble::NothingToRevoke)?;
    let store = state.api().store();
    let by = (operator.as_author(&state).await?, request.as_str());
    let revoked = refused.credential.xor(refused.client).ok_or(Trouble::NothingToRevoke)?;
    if !is_way(&state, operator.tenant, id, revoked).await? {
        return Err(Trouble::NothingToRevoke);
    }
    let was_live = if refused.client.is_some() {
        oauth_clients::revoke(store, operator.tenant, by, OauthClientId(revoked)).await?
    } else {
        credentials::revoke(store, operator.tenant, by, CredentialId(revoked)).await?
    };
    if was_live {
        // Other processes hear of it in a moment; whoever comes to this one need not wait for that.
        state.api().credentials().invalidate_all();
        tracing::info!(tenant = %operator.tenant, source = %id, %revoked, "an operator has revoked a way in");
    }
    Ok(Redirect::to(&format!("/console/sources/{id}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, NOW};
    use time::Duration;

    const SOURCE: Uuid = Uuid::from_u128(7);

    fn credential(id: u128, kind: &'static str) -> CredentialView {
        CredentialView {
            id: Uuid::from_u128(id),
            kind,
            source_id: Some(SOURCE),
            source: Some("okta".to_owned()),
            oauth_client_id: None,
            label: format!("label {id}"),
            scopes: None,
            trust: None,
            created_at: NOW - Duration::days(3),
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        }
    }

    fn client(id: u128) -> OauthClientView {
        OauthClientView {
            id: Uuid::from_u128(id),
            client_id: format!("rcc_{id}"),
            source_id: SOURCE,
            source: Some("okta".to_owned()),
            label: format!("client {id}"),
            scopes: Some(vec!["users:read".to_owned()]),
            token_minutes: 120,
            created_at: NOW,
            revoked_at: None,
        }
    }

    #[test]
    fn only_what_is_live_and_the_sources_own_is_shown_and_proofs_stand_after_their_client() {
        let (gone, late) = (NOW - Duration::HOUR, NOW + Duration::days(30));
        let credentials = [
            CredentialView { oauth_client_id: Some(Uuid::from_u128(20)), ..credential(1, "client_secret") },
            CredentialView { revoked_at: Some(gone), ..credential(2, "token") },
            CredentialView { expires_at: Some(gone), ..credential(3, "token") },
            CredentialView { source_id: None, ..credential(4, "token") },
            CredentialView { source_id: Some(Uuid::from_u128(8)), ..credential(5, "token") },
            CredentialView { expires_at: Some(late), last_used_at: Some(gone), ..credential(6, "token") },
        ];
        let clients = [
            client(20),
            OauthClientView { revoked_at: Some(gone), ..client(21) },
            OauthClientView { source_id: Uuid::from_u128(8), ..client(22) },
        ];
        let ways = arranged(SOURCE, &credentials, &clients, NOW);
        let seen: Vec<_> = ways.iter().map(|way| (way.label.as_str(), way.kind, way.field)).collect();
        let wanted = [
            ("label 6", "token", "credential"),
            ("client 20", "OAuth client", "client"),
            ("label 1", "client secret", "credential"),
        ];
        assert_eq!(seen, wanted);
        let distance = |when: &Option<When>| when.as_ref().map(|when| when.distance.clone());
        assert_eq!(distance(&ways[0].expires).as_deref(), Some("in 30 days"));
        assert_eq!(distance(&ways[0].used).as_deref(), Some("1 h ago"));
        assert_eq!((ways[1].client_id.as_deref(), ways[1].scopes.as_deref()), (Some("rcc_20"), Some("users:read")));
        assert_eq!(ways[2].of.as_deref(), Some("client 20"));
    }

    #[test]
    fn a_token_is_on_the_page_once_and_a_hostile_label_stays_text() {
        let made = Made { token: "rc_secret".to_owned(), label: HOSTILE.to_owned(), expires: None };
        let shown = TokenPage::of(HOSTILE, SourceId(SOURCE), Filled::default(), Some(made)).render().expect("a page");
        assert_eq!(shown.matches("rc_secret").count(), 1, "{shown}");
        assert!(shown.contains("alert(1)") && !shown.contains("<script") && !shown.contains("<form"), "{shown}");
        let form = TokenPage::of("okta", SourceId(SOURCE), Filled::default(), None).render().expect("a page");
        assert!(form.contains("<form") && form.contains("name=\"label\"") && form.contains("value=\"365\""), "{form}");
    }
}
