//! Signing in and out.

use crate::frame::html;
use crate::query::Query;
use crate::session;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::ours;
use crate::{assets, words::age};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use http::header::{ORIGIN, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use rollcall_api::services::sign_in::Verdict;
use secrecy::SecretString;
use serde::Deserialize;
use std::fmt::Write as _;
use std::time::Duration;

const PAGE: &str = "/console/sign-in";

/// Where to go after signing in.
#[derive(Deserialize)]
pub(crate) struct Then {
    then: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct Entered {
    name: String,
    password: String,
    then: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    style: &'a str,
    icon: &'a str,
    name: &'a str,
    then: &'a str,
    problem: Option<String>,
}

impl SignInPage<'_> {
    fn answer(&self, status: StatusCode) -> Result<Response, Trouble> {
        Ok((status, html(self.render()?)).into_response())
    }
}

/// The address of the sign-in page that leads on to `then`.
pub(crate) fn address(then: &str) -> String {
    let then = ours(Some(then));
    if then == "/console" {
        return PAGE.to_owned();
    }
    let mut encoded = format!("{PAGE}?then=");
    for byte in then.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn form<'a>(name: &'a str, then: &'a str, problem: Option<String>) -> SignInPage<'a> {
    let assets = assets::addresses();
    SignInPage { style: &assets.style, icon: &assets.icon, name, then, problem }
}

/// `GET /console/sign-in`.
pub(crate) async fn show(Query(asked): Query<Then>) -> Result<Response, Trouble> {
    form("", ours(asked.then.as_deref()), None).answer(StatusCode::OK)
}

/// `POST /console/sign-in`.
pub(crate) async fn enter(
    State(state): State<ConsoleState>,
    headers: HeaderMap,
    jar: CookieJar,
    entered: Result<Form<Entered>, FormRejection>,
) -> Result<Response, Trouble> {
    let Ok(Form(Entered { name, password, then })) = entered else {
        let problem = "Enter your name and your password.".to_owned();
        return form("", ours(None), Some(problem)).answer(StatusCode::BAD_REQUEST);
    };
    let (name, then) = (name.trim(), ours(then.as_deref()));
    let now = state.now();
    match state.sign_in().verify(state.api().store(), name, SecretString::from(password), now).await? {
        Verdict::Welcome(who) => {
            let token = state.key().issue(&who, state.api().edge().ids.new_id(), now).ok_or(Trouble::SessionEnded)?;
            tracing::info!(tenant = %who.tenant, "an operator signed in to the console");
            Ok((session::keep(jar, token, over_https(&headers)), Redirect::to(then)).into_response())
        }
        Verdict::Refused => {
            tracing::warn!("signing in to the console was refused");
            let problem = "This name and this password do not belong together. Check both; whoever runs this server \
                           can give you a new password with: rollcall operator password <name>";
            form(name, then, Some(problem.to_owned())).answer(StatusCode::UNAUTHORIZED)
        }
        Verdict::TooSoon(wait) => too_soon(name, then, wait),
    }
}

/// `POST /console/sign-out`. Whoever kept a copy of the cookie is signed out as well.
pub(crate) async fn leave(State(state): State<ConsoleState>, jar: CookieJar) -> (CookieJar, Redirect) {
    let now = state.now();
    for session in session::tokens(&jar).filter_map(|token| state.key().read(token, now)) {
        state.signed_out().add(session.id, session.ends, now);
    }
    (session::end(jar), Redirect::to(PAGE))
}

fn too_soon(name: &str, then: &str, wait: Duration) -> Result<Response, Trouble> {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    let span = age::span(time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX)));
    let problem = format!("Too many tries with this name have failed. Try again in {span}.");
    let mut response = form(name, then, Some(problem)).answer(StatusCode::TOO_MANY_REQUESTS)?;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

/// Whether the browser reached us over HTTPS, by its own word: it names the origin of every form it sends. A proxy may
/// have taken the encryption off on the way.
fn over_https(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_kept_and_stays_ours() {
        for (then, expected) in [
            ("/console", "/console/sign-in"),
            (
                "/console/people?state=held&target=1",
                "/console/sign-in?then=/console/people%3Fstate%3Dheld%26target%3D1",
            ),
            ("https://evil.example", "/console/sign-in"),
        ] {
            assert_eq!(address(then), expected, "{then}");
        }
    }

    #[test]
    fn a_hostile_name_is_text() {
        let page = form("\"><script>alert(1)</script>", "/console", Some("<b>".to_owned())).render().expect("a page");
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    }

    #[test]
    fn the_browser_says_how_it_came() {
        for (origin, expected) in [("https://a.example", true), ("http://localhost:8080", false), ("null", false)] {
            let headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))]);
            assert_eq!(over_https(&headers), expected, "{origin}");
        }
        assert!(!over_https(&HeaderMap::new()));
    }
}
