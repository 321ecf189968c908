//! From where, how fast, and whether with HTTP Basic a source may call.

use crate::auth::address::Networks;
use crate::auth::rate::FEWEST;
use crate::error::ApiError;
use crate::services::sources::no_source;
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::credentials::access::SourceAccess;
use rollcall_store::sources::SetUpBy;
use rollcall_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Most networks of one source.
const MOST_NETWORKS: usize = 200;
/// The most that can be said in figures.
const MOST: u32 = 1_000_000;

/// From where, how fast, and whether with HTTP Basic a source may call.
#[derive(Serialize, Deserialize, ToSchema, Clone, PartialEq, Eq, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct AccessView {
    /// Whether it may use HTTP Basic.
    #[serde(default)]
    pub basic: bool,
    /// The networks and addresses that it may call from; none: any.
    #[serde(default)]
    #[schema(example = json!(["192.0.2.0/24", "2001:db8::/32"]))]
    pub networks: Vec<String>,
    /// Its own rate; absent: that of the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateView>,
}

/// How fast a source may call.
#[derive(Serialize, Deserialize, ToSchema, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct RateView {
    /// Requests per second, all the time; at least 25.
    #[schema(minimum = 25, maximum = 1_000_000)]
    pub requests_per_second: u32,
    /// Requests at once, after a pause; at least 50.
    #[schema(minimum = 50, maximum = 1_000_000)]
    pub burst: u32,
}

/// What a source allows.
///
/// # Errors
/// [`ApiError::NotFound`].
pub async fn read(store: &Store, tenant: TenantId, source: SourceId) -> Result<AccessView, ApiError> {
    let stored = store.source_access(tenant, source).await.map_err(|error| unknown(error, source))?;
    let whole = |figure: Option<i32>| figure.and_then(|figure| u32::try_from(figure).ok());
    let rate = whole(stored.requests_per_second).zip(whole(stored.request_burst));
    Ok(AccessView {
        basic: stored.basic_allowed,
        networks: stored.allowed_networks,
        rate: rate.map(|(requests_per_second, burst)| RateView { requests_per_second, burst }),
    })
}

/// Changes what a source allows; its next request is judged by it.
///
/// # Errors
/// [`ApiError::NotFound`], and 400 that names what cannot be used.
pub async fn replace(
    store: &Store,
    tenant: TenantId,
    source: SourceId,
    by: (SetUpBy, &str),
    access: &AccessView,
) -> Result<AccessView, ApiError> {
    if access.networks.len() > MOST_NETWORKS {
        return Err(ApiError::parameter("networks", format!("must be at most {MOST_NETWORKS}")));
    }
    Networks::parse(access.networks.iter().map(String::as_str)).map_err(|text| {
        ApiError::parameter("networks", format!("hold {}, which is no network such as 192.0.2.0/24", quoted(&text)))
    })?;
    if let Some(RateView { requests_per_second, burst }) = access.rate {
        let least = [("requests_per_second", requests_per_second, FEWEST.per_second), ("burst", burst, FEWEST.burst)];
        for (name, figure, least) in least {
            if !(least..=MOST).contains(&figure) {
                let problem =
                    format!("must be a number from {least} to {MOST}; identity providers send up to the least");
                return Err(ApiError::parameter(name, problem));
            }
        }
    }
    let whole = |figure: u32| i32::try_from(figure).ok();
    let stored = SourceAccess {
        basic_allowed: access.basic,
        allowed_networks: access.networks.clone(),
        requests_per_second: access.rate.and_then(|rate| whole(rate.requests_per_second)),
        request_burst: access.rate.and_then(|rate| whole(rate.burst)),
    };
    store.set_source_access(tenant, source, &stored, by).await.map_err(|error| unknown(error, source))?;
    read(store, tenant, source).await
}

fn unknown(error: StoreError, source: SourceId) -> ApiError {
    match error {
        StoreError::Unknown { .. } => no_source(&source.to_string()),
        error => error.into(),
    }
}
