//! SCIM errors (RFC 7644 §3.12).
//!
//! The `detail` is read by the administrator of an Okta or Entra tenant: it says what went wrong, for whom,
//! with which attribute, and what to do about it. It never carries internal text.

use serde_json::{Value, json};

/// Schema URN of an error body.
pub const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The detail error keyword (`scimType`) of RFC 7644 table 9 and RFC 9865 §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter, or a filter inside a PATCH path, cannot be used.
    InvalidFilter,
    /// More results than the server is willing to compute.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// A write to a read-only or immutable attribute, or the removal of a required one.
    Mutability,
    /// The body is not of the expected form.
    InvalidSyntax,
    /// A PATCH path is malformed or names an unknown attribute.
    InvalidPath,
    /// A PATCH path matches nothing that the operation could act on.
    NoTarget,
    /// A required value is missing, or a value has the wrong type.
    InvalidValue,
    /// The protocol version asked for is not supported.
    InvalidVers,
    /// The request would put personal data into the URL.
    Sensitive,
    /// The paging cursor is not one of ours (RFC 9865).
    InvalidCursor,
    /// The paging cursor is too old (RFC 9865).
    ExpiredCursor,
    /// The page size is not acceptable (RFC 9865).
    InvalidCount,
}

impl ScimType {
    /// The keyword as it stands in the body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }

    /// The HTTP status that goes with the keyword (RFC 7644 table 9).
    pub const fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            Self::Sensitive => 403,
            _ => 400,
        }
    }
}

/// An error as a SCIM client sees it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// HTTP status code.
    pub status: u16,
    /// The keyword a program can act on, where RFC 7644 defines one.
    pub scim_type: Option<ScimType>,
    /// The sentence a person acts on.
    pub detail: String,
}

/// One constructor per keyword; the status follows from the keyword.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        impl Error {
            $($(#[$doc])*
            pub fn $name(detail: impl Into<String>) -> Self {
                Self::of(ScimType::$kind, detail)
            })*
        }
    };
}

constructors! {
    /// 400 `invalidFilter`.
    invalid_filter => InvalidFilter;
    /// 400 `tooMany`.
    too_many => TooMany;
    /// 409 `uniqueness`.
    uniqueness => Uniqueness;
    /// 400 `mutability`.
    mutability => Mutability;
    /// 400 `invalidSyntax`.
    invalid_syntax => InvalidSyntax;
    /// 400 `invalidPath`.
    invalid_path => InvalidPath;
    /// 400 `noTarget`.
    no_target => NoTarget;
    /// 400 `invalidValue`.
    invalid_value => InvalidValue;
    /// 400 `invalidVers`.
    invalid_vers => InvalidVers;
    /// 403 `sensitive`.
    sensitive => Sensitive;
    /// 400 `invalidCursor`.
    invalid_cursor => InvalidCursor;
    /// 400 `expiredCursor`.
    expired_cursor => ExpiredCursor;
    /// 400 `invalidCount`.
    invalid_count => InvalidCount;
}

impl Error {
    /// An error with a keyword.
    pub fn of(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self { status: scim_type.status(), scim_type: Some(scim_type), detail: detail.into() }
    }

    /// An error that is told by its status alone (401, 403, 405, 413, 415, 429, 500, 501 …).
    pub fn status(status: u16, detail: impl Into<String>) -> Self {
        Self { status, scim_type: None, detail: detail.into() }
    }

    /// 404: there is no such resource, or not any more.
    pub fn not_found(resource_type: &str, id: &str) -> Self {
        Self::status(404, format!("{resource_type} {} does not exist", quoted(id)))
    }

    /// 412: the `If-Match` precondition does not hold; `current` is the `ETag` of what is stored.
    pub fn precondition_failed(current: &str) -> Self {
        Self::status(
            412,
            format!(
                "the resource changed since it was read: its version is now {current}. Read it again and repeat the \
                 request with that version in If-Match"
            ),
        )
    }

    /// 413: something is larger than a published limit.
    pub fn payload_too_large(detail: impl Into<String>) -> Self {
        Self::status(413, detail)
    }

    /// The same error, told to be about one part of the request.
    #[must_use]
    pub fn within(self, part: impl std::fmt::Display) -> Self {
        Self { detail: format!("{part}: {}", self.detail), ..self }
    }

    /// The body of RFC 7644 §3.12; `status` is a JSON string there.
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "schemas": [ERROR_SCHEMA], "status": self.status.to_string() });
        if let Some(map) = body.as_object_mut() {
            if let Some(scim_type) = self.scim_type {
                map.insert("scimType".into(), scim_type.as_str().into());
            }
            map.insert("detail".into(), self.detail.as_str().into());
        }
        body
    }
}

/// What a client sent, as an error quotes it: in quotes, and cut off where a person would stop reading.
pub fn quoted(text: &str) -> String {
    const READ: usize = 200;
    match text.char_indices().nth(READ) {
        None => format!("\"{text}\""),
        Some((end, _)) => format!("\"{}…\"", text.get(..end).unwrap_or_default()),
    }
}
