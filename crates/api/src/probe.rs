//! Asking a target itself, which this side cannot: the binary, which knows the connectors, does it. Nothing is changed there,
//! and every call takes its place in the rate that all of the installation share.

use rollcall_store::projection::Target;
use std::pin::Pin;

/// How one point of a preflight stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PointState {
    /// As it must be.
    Ok,
    /// Rollcall works, but something will be missing.
    Warning,
    /// Rollcall cannot do its work.
    Problem,
    /// It could not be found out now.
    Unknown,
}

impl PointState {
    /// The word used in JSON and for the style sheet.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Unknown => "unknown",
        }
    }
}

/// One point of a preflight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// What was looked at, in a few words.
    pub check: String,
    /// How it stands.
    pub state: PointState,
    /// What was found and what to do, in sentences, without personal data or secrets.
    pub text: String,
}

/// Why a target could not be asked: a sentence for a person.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotAsked(pub String);

/// An answer that is on its way.
pub type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, NotAsked>> + Send + 'a>>;

/// Asks targets.
pub trait AskTarget: Send + Sync {
    /// Whether the application may do what is needed, point by point.
    fn preflight<'a>(&'a self, target: &'a Target) -> Asking<'a, Vec<Point>>;

    /// Whether there is an account with this id.
    fn has_account<'a>(&'a self, target: &'a Target, remote_id: &'a str) -> Asking<'a, bool>;
}
