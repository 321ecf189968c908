//! Why a request could not be served, as cases that get different answers. Each case becomes one [`Refusal`] here
//! and nowhere else.

mod plans;

use crate::auth::rate::Rate;
use crate::auth::scopes::Scopes;
use crate::limits::{MAX_BODY_BYTES, RETRY_AFTER_SECONDS};
use crate::refusal::{Challenge, Extras, PartProblem, Refusal};
use crate::target_kinds::NotSealed;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use rollcall_provisioning::guard::SettingsError;
use rollcall_scim::ScimType;
use rollcall_scim::error::quoted;
use rollcall_store::projection::ApplyError;
use rollcall_store::{StoreError, Uniqueness};
use std::error::Error as StdError;
use std::net::IpAddr;

/// What a client is told when the fault is ours.
pub(crate) const INTERNAL: &str =
    "Rollcall failed on this request; send it again, and if it fails again tell its operator the request id";

/// Why a request could not be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// What the client sent breaks a rule of SCIM.
    #[error(transparent)]
    Scim(#[from] rollcall_scim::Error),
    /// No credential, or one that is unknown, expired or revoked. Which of these is nobody's business.
    #[error("the credential is missing or not valid")]
    Unauthenticated {
        /// Whether any source may use HTTP Basic.
        basic: bool,
    },
    /// A valid credential that may not do this.
    #[error("the credential lacks {0}")]
    MissingScopes(Scopes),
    /// A valid credential, from an address that is not among those of its source.
    #[error("the source may not call from this address")]
    AddressNotAllowed {
        /// The address, as far as it is known.
        address: Option<IpAddr>,
    },
    /// A source that sends faster than it may.
    #[error("the source is too fast")]
    TooFast {
        /// How fast it may be.
        rate: Rate,
        /// When to come again.
        seconds: u32,
    },
    /// An address from which authentication has failed too often.
    #[error("authentication has failed too often from this address")]
    TooManyFailures {
        /// When to come again.
        seconds: u32,
    },
    /// Several `Authorization` headers.
    #[error("the request has several Authorization headers")]
    TwoTokens,
    /// A valid token that is meant for the other interface.
    #[error("the token is not meant for this interface")]
    WrongTokenKind {
        /// The interface that was called: `SCIM` or `REST`.
        called: &'static str,
    },
    /// The body is of a media type that nobody here reads.
    #[error("the media type \"{0}\" is not supported")]
    UnsupportedMediaType(String),
    /// The body is compressed.
    #[error("the content coding \"{0}\" is not supported")]
    UnsupportedEncoding(String),
    /// The body is larger than [`MAX_BODY_BYTES`].
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body ended before it was complete.
    #[error("the body could not be read to its end")]
    BodyBroken,
    /// REST: something that is not there.
    #[error("{what} does not exist")]
    NotFound {
        /// What, with its id or name: `the user "…"`.
        what: String,
    },
    /// REST: a parameter or a member of the body that cannot be used.
    #[error("\"{name}\" {problem}")]
    InvalidParameter {
        /// Its name.
        name: &'static str,
        /// What is wrong with it; continues a sentence that begins with the name.
        problem: String,
    },
    /// REST: something else stands in the way. The text is a whole sentence.
    #[error("{0}")]
    Conflict(String),
    /// REST: something that takes two people, asked and granted by one. The text continues a sentence.
    #[error("{0}")]
    SamePerson(&'static str),
    /// REST: limits of guards that cannot be set.
    #[error(transparent)]
    Guards(#[from] SettingsError),
    /// REST: a plan that is not applied, released or rejected.
    #[error(transparent)]
    Plan(ApplyError),
    /// REST: a document in which several things can be wrong. The text is a whole sentence.
    #[error("{detail}")]
    Unfit {
        /// What, as a word that a program can switch on.
        code: &'static str,
        /// The sentence.
        detail: String,
        /// Each thing that is wrong.
        errors: Vec<PartProblem>,
    },
    /// REST: somebody else has changed it meanwhile. The text is a whole sentence.
    #[error("{0}")]
    Outdated(String),
    /// A feature of the protocol that this server does not have. The text is a whole sentence.
    #[error("{0}")]
    NotImplemented(&'static str),
    /// The operating system gives no random numbers for a secret.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// A secret of a target could not be sealed or opened.
    #[error(transparent)]
    NotSealed(#[from] NotSealed),
    /// A computation broke off.
    #[error("a computation broke off")]
    Broken,
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiError {
    /// REST: a parameter that cannot be used.
    pub(crate) fn parameter(name: &'static str, problem: impl Into<String>) -> Self {
        Self::InvalidParameter { name, problem: problem.into() }
    }

    /// The answer to give. Never holds internal text.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Scim(error) => scim_refusal(error),
            Self::Store(error) | Self::Plan(ApplyError::Store(error)) => store_refusal(error),
            Self::Plan(error) => plans::refusal(error),
            Self::Guards(error) => plans::unusable_limits(error),
            Self::Unauthenticated { basic } => Refusal::new(
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "the bearer token is missing, unknown, expired or revoked; send a token of this source as \
                 \"Authorization: Bearer <token>\"",
            )
            .challenge(if *basic { Challenge::BearerOrBasic } else { Challenge::Bearer }),
            Self::MissingScopes(missing) => Refusal::new(
                StatusCode::FORBIDDEN,
                "insufficient_scope",
                format!(
                    "this credential lacks the scope {}; use one that has it, or have it given to this one's successor",
                    missing.words().collect::<Vec<_>>().join(" and ")
                ),
            )
            .challenge(Challenge::Scopes(*missing)),
            Self::AddressNotAllowed { address } => Refusal::new(
                StatusCode::FORBIDDEN,
                "address_not_allowed",
                format!(
                    "this source may not call from {}; add the address to the networks that it may call from, and behind a \
                     proxy name the proxy in trusted_proxies",
                    address.map_or_else(|| "an unknown address".to_owned(), |address| address.to_string())
                ),
            ),
            Self::TooFast { rate, seconds } => Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_fast",
                format!(
                    "this source has sent more than {} requests at once and {} a second; come again after the time in \
                     Retry-After, or have its rate raised",
                    rate.burst, rate.per_second
                ),
            )
            .retry_after(*seconds),
            Self::TooManyFailures { seconds } => Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_failures",
                "authentication has failed too often from this address; correct the credential, and come again after the \
                 time in Retry-After",
            )
            .retry_after(*seconds),
            Self::TwoTokens => Refusal::new(
                StatusCode::BAD_REQUEST,
                "two_tokens",
                "the request has several Authorization headers; send one, with the token of this source",
            ),
            Self::WrongTokenKind { called } => Refusal::new(
                StatusCode::FORBIDDEN,
                "wrong_token_kind",
                format!("this token is not meant for the {called} interface; create one that is"),
            ),
            Self::UnsupportedMediaType(given) => Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                format!(
                    "the Content-Type {} is not supported; send application/scim+json or application/json in UTF-8",
                    quoted(given)
                ),
            ),
            Self::UnsupportedEncoding(given) => Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                format!("the Content-Encoding {} is not supported; send the body uncompressed", quoted(given)),
            ),
            Self::BodyTooLarge => Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the body is larger than {MAX_BODY_BYTES} bytes; send less in one request"),
            ),
            Self::BodyBroken => with_type(ScimType::InvalidSyntax, self.to_string()),
            Self::NotFound { .. } => Refusal::new(StatusCode::NOT_FOUND, "not_found", self.to_string()),
            Self::InvalidParameter { .. } => {
                Refusal::new(StatusCode::BAD_REQUEST, "invalid_parameter", self.to_string())
            }
            Self::Conflict(detail) => Refusal::new(StatusCode::CONFLICT, "conflict", detail),
            Self::SamePerson(detail) => Refusal::new(StatusCode::FORBIDDEN, "same_person", *detail),
            Self::Unfit { code, detail, errors } => {
                let extras = Extras { errors: errors.clone(), ..Extras::default() };
                Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).extras(extras)
            }
            Self::Outdated(detail) => Refusal::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", detail),
            Self::Broken | Self::NoRandomness | Self::NotSealed(_) => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL),
            Self::NotImplemented(detail) => Refusal::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", *detail),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let refusal = self.refusal();
        // To be asked for what the protocol has and this server has not is no failure.
        if refusal.status.is_server_error() && refusal.status != StatusCode::NOT_IMPLEMENTED {
            tracing::error!(error = &self as &dyn StdError, code = refusal.code, "a request could not be served");
        }
        refusal.into_response()
    }
}

/// The refusal of a kind that RFC 7644 table 9 names.
fn with_type(scim_type: ScimType, detail: String) -> Refusal {
    scim_refusal(&rollcall_scim::Error::of(scim_type, detail))
}

fn scim_refusal(error: &rollcall_scim::Error) -> Refusal {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = match (error.scim_type, status) {
        (Some(scim_type), _) => scim_type.as_str(),
        (None, StatusCode::NOT_FOUND) => "not_found",
        (None, StatusCode::PRECONDITION_FAILED) => "precondition_failed",
        (None, StatusCode::FORBIDDEN) => "forbidden",
        (None, StatusCode::PAYLOAD_TOO_LARGE) => "body_too_large",
        (None, StatusCode::NOT_IMPLEMENTED) => "not_implemented",
        (None, _) => "refused",
    };
    Refusal { scim_type: error.scim_type, ..Refusal::new(status, code, error.detail.clone()) }
}

fn store_refusal(error: &StoreError) -> Refusal {
    match error {
        StoreError::Conflict(uniqueness) => with_type(ScimType::Uniqueness, taken(*uniqueness)),
        StoreError::TooMany { limit } => with_type(
            ScimType::TooMany,
            format!(
                "more than {limit} resources would have to be looked at; filter by eq and userName, externalId, \
                 emails, displayName, employeeNumber, id, members or manager, or read everything by cursor and without \
                 sortBy"
            ),
        ),
        StoreError::InvalidInput { .. } => with_type(
            ScimType::InvalidValue,
            "the request holds a value that cannot be stored: a null character, or a text that is too long to be \
             looked up by"
                .to_owned(),
        ),
        StoreError::TooManyLive { what, limit } => Refusal::new(
            StatusCode::CONFLICT,
            "too_many_live",
            format!("there are {limit} live {what} already; revoke the oldest one first"),
        ),
        StoreError::Unavailable(_) => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "Rollcall cannot reach its database at the moment; send the request again after a pause",
        )
        .retry_after(RETRY_AFTER_SECONDS),
        StoreError::Schema { .. } => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "schema_mismatch",
            "Rollcall is being upgraded; send the request again after a pause",
        )
        .retry_after(RETRY_AFTER_SECONDS),
        _ => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", INTERNAL),
    }
}

/// Fallback for a conflict whose value is not known here; SCIM handlers name the value.
fn taken(uniqueness: Uniqueness) -> String {
    match uniqueness {
        Uniqueness::UserName => "another user has this userName; choose another one, or update that user".to_owned(),
        Uniqueness::GroupDisplayName => {
            "another group has this displayName; choose another one, or update that group".to_owned()
        }
        Uniqueness::Issuer => {
            "a credential of this installation trusts this issuer for this audience already; revoke that one first"
                .to_owned()
        }
        _ => "another one has this name; choose another name".to_owned(),
    }
}
