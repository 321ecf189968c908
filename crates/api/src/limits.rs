//! What one request may take at most. Limits on the content of a body (depth, values, filter length) belong to
//! [`rollcall_scim::limits`].

use crate::auth::rate::Rate;
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

/// SCIM: how long a cursor can be used after it was given out; published as `pagination.cursorTimeout`. Whoever reads a
/// list to its end gets a new cursor with every page.
pub const CURSOR_TIMEOUT: Duration = Duration::from_hours(1);

/// Longest time that a preview of a mapping looks at people; of those behind them it says that they were not looked at.
/// Less than [`REQUEST_TIMEOUT`], so that the answer comes.
pub const PREVIEW_TIME: Duration = Duration::from_secs(20);

/// Previews of mappings under way in one process at most; others wait, so that they do not take all processors.
pub const PREVIEWS: usize = 2;

/// People whom a preview can be asked to show whole.
pub const MOST_SHOWN: usize = 50;

/// REST: items in a page when the client names no `limit`.
pub const DEFAULT_LIMIT: i64 = 50;

/// REST: most items in a page.
pub const MAX_LIMIT: i64 = 200;

/// How long a looked-up credential is believed without asking the database again. A revocation is announced and
/// takes effect at once; this is the net under a lost announcement.
pub const CREDENTIAL_TTL: Duration = Duration::from_secs(5);

/// How long a tenant's schemas and the owners of its attributes are believed without asking the database again. A change
/// is announced and takes effect at once; this is the net under a lost announcement.
pub const RULES_TTL: Duration = Duration::from_secs(5);

/// Most tenants whose schemas and owners are remembered at once.
pub const RULES_CACHE_SIZE: usize = 1024;

/// Most credentials remembered at once.
pub const CREDENTIAL_CACHE_SIZE: usize = 4096;

/// How often last uses of credentials are written down.
pub const LAST_USE_INTERVAL: Duration = Duration::from_secs(30);

/// How often one address may fail to authenticate before it hears 429 instead of 401: at once, and then all the time.
pub const FAILURE_RATE: Rate = Rate { per_second: 5, burst: 200 };

/// How fast a source may send when neither it nor the installation says otherwise: far beyond what identity providers send
/// (25 requests a second sustained is what Microsoft asks for), and below what one runaway script could do to the others.
pub const SOURCE_RATE: Rate = Rate { per_second: 2_000, burst: 10_000 };

/// Sets of published keys remembered at once.
pub const KEY_SETS: usize = 256;

/// How long a set of published keys is used without asking for it again.
pub const KEYS_FRESH_FOR: Duration = Duration::from_hours(1);

/// How long it is used while its issuer cannot be reached.
pub const KEYS_KEPT_FOR: Duration = Duration::from_hours(24);

/// Shortest time between two requests for the same set.
pub const KEYS_REFETCH_AFTER: Duration = Duration::from_secs(30);

/// Checked tokens of other issuers remembered at once.
pub const VERIFIED_TOKENS: usize = 4096;
