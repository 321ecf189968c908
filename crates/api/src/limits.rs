//! What one request may take at most. Limits on the content of a body (depth, values, filter length) belong to
//! [`rollcall_scim::limits`].

use std::time::Duration;

/// Largest request body, in bytes. A group of 10,000 members in one PUT needs about half of it.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Most that is read of a body after its request was refused, in bytes, so that the client sees the answer.
pub const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// Longest time for that.
pub const LINGER_TIME: Duration = Duration::from_secs(10);

/// Longest time for one request, from its head to the answer. Okta gives up after 60 s; an answer that says "try
/// again" must come before.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest time for the operations of one bulk request; those that are not begun by then are answered so. Less than
/// [`REQUEST_TIMEOUT`], so that the client hears what became of each.
pub const BULK_TIME: Duration = Duration::from_secs(20);

/// What a client that was turned away for lack of time or database is told to wait, in seconds.
pub const RETRY_AFTER_SECONDS: u32 = 5;

/// SCIM: resources in a page when the client names no `count`.
pub const DEFAULT_COUNT: i64 = 100;

/// SCIM: most resources in a page; published as `filter.maxResults`.
pub const MAX_COUNT: i64 = 1000;

/// REST: items in a page when the client names no `limit`.
pub const DEFAULT_LIMIT: i64 = 50;

/// REST: most items in a page.
pub const MAX_LIMIT: i64 = 200;

/// How long a looked-up credential is believed without asking the database again. A revocation is announced and
/// takes effect at once; this is the net under a lost announcement.
pub const CREDENTIAL_TTL: Duration = Duration::from_secs(5);

/// Most credentials remembered at once.
pub const CREDENTIAL_CACHE_SIZE: usize = 4096;

/// How often last uses of credentials are written down.
pub const LAST_USE_INTERVAL: Duration = Duration::from_secs(30);
