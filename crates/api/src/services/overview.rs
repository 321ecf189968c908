//! A tenant at a glance: what was received, and how its targets stand.

use crate::error::ApiError;
use crate::services::guards::{self, TripView};
use crate::services::plans;
use crate::services::targets::{self, TargetView};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_store::Store;
use time::OffsetDateTime;

/// A tenant at a glance.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The tenant's name.
    pub tenant: String,
    /// Users in the directory.
    pub people: i64,
    /// Groups in the directory.
    pub groups: i64,
    /// Configured SCIM clients.
    pub sources: i64,
    /// When a source changed something last.
    pub last_received: Option<OffsetDateTime>,
    /// How many plans wait for a second person to release them; counted up to 200.
    pub releases: usize,
    /// Its targets, by name.
    pub targets: Vec<TargetOverview>,
    /// When this was read.
    pub as_of: OffsetDateTime,
}

/// A target at a glance.
#[derive(Clone, Debug)]
pub struct TargetOverview {
    /// How it stands.
    pub view: TargetView,
    /// When it accepted a change last.
    pub last_applied: Option<OffsetDateTime>,
    /// Since when it is stopped, if it is.
    pub stopped_since: Option<OffsetDateTime>,
    /// What its guards hold.
    pub trips: Vec<TripView>,
}

/// Reads a tenant at a glance. The counts come from several statements, so they can be a moment apart.
///
/// # Errors
/// 404 when there is no such tenant.
pub async fn read(store: &Store, tenant: TenantId, now: OffsetDateTime) -> Result<Overview, ApiError> {
    let glance = store.directory_glance(tenant).await?;
    let glance = glance.ok_or_else(|| ApiError::NotFound { what: format!("the tenant {tenant}") })?;
    let releases = plans::unreleased(store, tenant, plans::MOST_UNRELEASED, now).await?.len();
    let open = guards::open_trips(store, tenant, None).await?;
    let mut targets = Vec::new();
    for view in targets::list(store, tenant, now).await? {
        let moments = store.target_moments(tenant, TargetId(view.id)).await?;
        let stopped_since = moments.last_stopped.filter(|_| view.stopped.is_some());
        let trips = open.iter().filter(|trip| trip.target_id == view.id).cloned().collect();
        targets.push(TargetOverview { view, last_applied: moments.last_applied, stopped_since, trips });
    }
    Ok(Overview {
        tenant: glance.tenant,
        people: glance.people,
        groups: glance.groups,
        sources: glance.sources,
        last_received: glance.last_received,
        releases,
        targets,
        as_of: now,
    })
}
