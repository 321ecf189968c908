//! Pages that say why there is nothing else to see. They never show a number: a zero would be a lie.

use crate::frame::html;
use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use rollcall_api::ApiError;
use rollcall_api::refusal::Refusal;
use std::error::Error as StdError;

/// Why a page cannot be shown.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// There is no session. After signing in, the person is sent on.
    SignInFirst {
        /// The page that was asked for.
        then: String,
    },
    /// A page that refreshes itself has outlived its session.
    SessionEnded,
    /// A form that was not sent from one of our pages.
    ForeignForm,
    /// There is no such page.
    NoSuchPage,
    /// A form names something that the source does not have.
    NothingToRevoke,
    /// The page exists, but not for this kind of request.
    WrongMethod,
    /// A service could not do it.
    Service(ApiError),
    /// A page could not be written. It is a defect.
    Unwritten(askama::Error),
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self::Service(error)
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        Self::Unwritten(error)
    }
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    style: &'a str,
    icon: &'a str,
    title: &'a str,
    detail: &'a str,
}

impl Trouble {
    fn page(&self) -> (StatusCode, String, String) {
        let plain = |status, title: &str, detail: &str| (status, title.to_owned(), detail.to_owned());
        match self {
            Self::SignInFirst { .. } | Self::SessionEnded => {
                plain(StatusCode::UNAUTHORIZED, "Your session has ended", "Sign in again to go on.")
            }
            Self::ForeignForm => plain(
                StatusCode::FORBIDDEN,
                "This form was not sent from Rollcall",
                "It came from another site, so nothing was done. Open the console itself and try again there.",
            ),
            Self::NoSuchPage => {
                plain(StatusCode::NOT_FOUND, "There is no such page", "Check the address, or begin at the home page.")
            }
            Self::NothingToRevoke => plain(
                StatusCode::NOT_FOUND,
                "There is nothing to revoke",
                "This source has no such way in, so nothing was done. Open the source again to see what lets it in.",
            ),
            Self::WrongMethod => plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address takes forms only",
                "Go back to the page that the form is on.",
            ),
            Self::Unwritten(_) => internal(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Service(error) => refused(&error.refusal()),
        }
    }

    fn log(&self) {
        let error: &dyn StdError = match self {
            Self::Service(error) if error.refusal().status.is_server_error() => error,
            Self::Unwritten(error) => error,
            _ => return,
        };
        tracing::error!(error, "a console page could not be shown");
    }
}

/// The page of a service's refusal.
fn refused(refusal: &Refusal) -> (StatusCode, String, String) {
    match refusal.status {
        StatusCode::SERVICE_UNAVAILABLE => {
            let detail = "So nothing can be shown, and no figure here would be true. Nothing that was accepted is \
                          lost; sources are told to send again later. This page works again when the database does.";
            (refusal.status, "Rollcall cannot reach its database".to_owned(), detail.to_owned())
        }
        status if status.is_server_error() => internal(status),
        status => (status, "This cannot be shown".to_owned(), capitalised(&refusal.detail)),
    }
}

fn internal(status: StatusCode) -> (StatusCode, String, String) {
    let detail = "The fault is Rollcall's own. Try again; if it stays, tell whoever runs this server the time and \
                  the request id, which is in the header X-Request-Id of this answer.";
    (status, "This page failed".to_owned(), detail.to_owned())
}

/// What a refusal says, as a sentence.
pub(crate) fn sentence(refusal: &Refusal) -> String {
    capitalised(&refusal.detail)
}

/// A page with what was refused on it, if anything was, and its status.
pub(crate) fn with_status(page: Response, refused: Option<&Refusal>) -> Response {
    match refused {
        None => page,
        Some(refusal) => (refusal.status, page).into_response(),
    }
}

/// The refusal that the page of a form shows. What is not there, and what is our own fault, has a page of its own.
pub(crate) fn told_on_page(error: ApiError) -> Result<Refusal, Trouble> {
    let refusal = error.refusal();
    let is_shown = refusal.status.is_client_error() && refusal.status != StatusCode::NOT_FOUND;
    if is_shown { Ok(refusal) } else { Err(error.into()) }
}

/// Details of refusals begin in lower case.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        self.log();
        if let Self::SignInFirst { then } = &self {
            return Redirect::to(&crate::sign_in::address(then)).into_response();
        }
        let (status, title, detail) = self.page();
        let assets = crate::assets::addresses();
        let page = TroublePage { style: &assets.style, icon: &assets.icon, title: &title, detail: &detail }.render();
        let mut response = (status, html(page.unwrap_or(title))).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, body_of};

    async fn answer(trouble: Trouble) -> (StatusCode, String) {
        let response = trouble.into_response();
        (response.status(), body_of(response).await)
    }

    #[test]
    fn a_database_that_is_down_is_said_and_no_number_is_shown() {
        let down = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "internal words");
        let (status, title, detail) = refused(&down);
        assert_eq!((status, title.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "Rollcall cannot reach its database"));
        assert!(!detail.contains("internal words") && !detail.contains(|c: char| c.is_ascii_digit()), "{detail}");
    }

    #[tokio::test]
    async fn what_is_not_there_is_named_as_text() {
        let missing = ApiError::NotFound { what: format!("the user {HOSTILE}") };
        let (status, page) = answer(missing.into()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(!page.contains("<script") && page.contains("The user &#60;script"), "{page}");
        assert!(page.contains("dir=\"auto\""), "{page}");
    }

    #[tokio::test]
    async fn every_trouble_has_its_status() {
        for (trouble, expected) in [
            (Trouble::SignInFirst { then: "/console".to_owned() }, StatusCode::SEE_OTHER),
            (Trouble::SessionEnded, StatusCode::UNAUTHORIZED),
            (Trouble::ForeignForm, StatusCode::FORBIDDEN),
            (Trouble::NoSuchPage, StatusCode::NOT_FOUND),
            (Trouble::NothingToRevoke, StatusCode::NOT_FOUND),
            (Trouble::WrongMethod, StatusCode::METHOD_NOT_ALLOWED),
        ] {
            let named = format!("{trouble:?}");
            assert_eq!(answer(trouble).await.0, expected, "{named}");
        }
    }

    #[test]
    fn details_become_sentences() {
        assert_eq!(capitalised("the user \"x\" does not exist"), "The user \"x\" does not exist.");
        assert_eq!(capitalised("done."), "Done.");
        assert_eq!(capitalised(""), ".");
    }
}
