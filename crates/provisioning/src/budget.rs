//! The rate budget: how many calls a target permits, shared by every worker of an installation.
//!
//! A connector reserves a place before each call and waits as long as it is told. The budget itself is kept
//! where all processes can see it (Postgres), behind the [`Budget`] trait.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A boxed future, so that [`Budget`] and [`crate::connector::Connector`] can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One limit that a call counts against.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limit {
    /// What is limited, the same text in every process: for DingTalk `<app key>:<api path>` or `ip`.
    pub key: String,
    /// The distance between two calls when the limit is used fully.
    pub interval: Duration,
    /// How many calls may go at once after a quiet time; at least 1.
    pub burst: u32,
}

/// Why a place could not be reserved. The call must then not be made.
#[derive(Debug, thiserror::Error)]
#[error("the shared rate budget cannot be read")]
pub struct BudgetError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The rate budget shared by all workers.
pub trait Budget: Send + Sync {
    /// Takes one place under each of `limits` and returns how long to wait before the call. If that is longer than
    /// `longest`, no place is taken: whoever gives up must not push the others further back.
    fn reserve<'a>(&'a self, limits: &'a [Limit], longest: Duration) -> BoxFuture<'a, Result<Duration, BudgetError>>;

    /// Lets nobody call under `key` for `pause`, because the target said that it is too much.
    fn pause<'a>(&'a self, key: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), BudgetError>>;
}
