//! Scans: an existing organisation is read from top to bottom, page by page, and nothing is written to it.
//!
//! Each page is kept before the next one is asked for, together with where the list goes on, so that a scan whose worker
//! dies goes on where it was. A page that fails is tried again for as long as that may help; it is never taken for empty.

use crate::connectors::NotReady;
use crate::delivery::{Shared, unusable};
use crate::worker::Reconciler;
use rollcall_provisioning::connector::{Connector, ConnectorError, Cursor, ErrorClass, Named};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::org_unit::{OrgName, SEPARATOR};
use rollcall_provisioning::retry;
use rollcall_provisioning::stop::{Cause, Reach};
use rollcall_store::StoreError;
use rollcall_store::adoption::{FoundUnit, ScanClaim, ScanFailure, ScanPhase, ScanStep, UnitToRead, WalkEnd};
use rollcall_store::projection::Refused;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long a scan is held without a sign of life: longer than the longest call.
pub(crate) const LEASE: Duration = Duration::from_mins(2);
/// Org units that are read at once. More would not be faster: all calls share one rate.
const AT_ONCE: i64 = 4;
/// How often, and how soon, it is tried again to link what a worker is at.
const TRIES: u32 = 20;
const SOON: Duration = Duration::from_millis(250);
/// What people are told of a defect.
const DEFECT: &str = "The scan hit a defect of Rollcall; the server's log says where.";

/// Why a scan does not go on now.
pub(crate) enum Hindrance {
    /// Somebody else has it, it was cancelled, or its target is paused or stopped.
    Lost,
    /// The database failed.
    Store(StoreError),
    /// The target failed.
    Target(ConnectorError),
    /// Workers are at what is to be linked.
    Busy(u64),
    /// A part of it ended abnormally, which has been logged.
    Defect,
}

impl From<StoreError> for Hindrance {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ConnectorError> for Hindrance {
    fn from(error: ConnectorError) -> Self {
        Self::Target(error)
    }
}

/// What a step brought, where the list goes on, and the calls that it cost.
type Stepped = (ScanStep, Option<Cursor>, u32);

impl Reconciler {
    /// Carries on scans that are due, one after the other, until `stop` is cancelled.
    pub async fn scan(&self, stop: CancellationToken) {
        let shared = &self.shared;
        let mut tasks = JoinSet::new();
        while !stop.is_cancelled() {
            let claimed = shared.store.claim_scan(&shared.options.worker, LEASE).await.unwrap_or_else(|error| {
                tracing::warn!(error = &error as &dyn std::error::Error, "scans could not be claimed");
                None
            });
            let Some(claim) = claimed else {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(shared.options.poll) => {}
                }
                continue;
            };
            let (work, held) = (Arc::clone(shared), claim.clone());
            tasks.spawn(async move { work.carry_on(&held).await });
            tokio::select! {
                () = stop.cancelled() => {
                    // It only reads, and what it read is kept page by page.
                    tasks.shutdown().await;
                    let _ = shared.store.release_scan(&claim).await;
                }
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a scan ended abnormally");
                        shared.note(&claim, "panic", DEFECT, Some(retry::LONGEST)).await;
                    }
                }
            }
        }
    }
}

impl Shared {
    /// Does what is left of a scan, or as much of it as can be done now.
    async fn carry_on(&self, claim: &ScanClaim) {
        let mut progressed = false;
        let Err(hindrance) = self.go_through(claim, &mut progressed).await else { return };
        let failed = if progressed { 1 } else { claim.attempt.saturating_add(1) };
        match hindrance {
            Hindrance::Lost => {
                if let Err(error) = self.store.release_scan(claim).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a scan could not be given back");
                }
            }
            Hindrance::Store(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the database failed a scan");
                let text = "Rollcall's own database failed during the scan; the server's log says how.";
                self.note(claim, "database", text, Some(retry_after(failed, ErrorClass::Transient, None))).await;
            }
            Hindrance::Busy(number) => {
                let text = format!("{number} of those who are to be linked are being worked at; they follow.");
                self.note(claim, "busy", &text, Some(retry_after(failed, ErrorClass::Transient, None))).await;
            }
            Hindrance::Defect => self.note(claim, "panic", DEFECT, Some(retry::LONGEST)).await,
            Hindrance::Target(error) => self.target_failed(claim, &error, failed).await,
        }
    }

    async fn target_failed(&self, claim: &ScanClaim, error: &ConnectorError, failed: u32) {
        let text = format!("{} {}", error.message, error.advice);
        let again = match error.class {
            ErrorClass::Stopped => {
                tracing::error!(target_id = %claim.target, code = error.code, "sending is stopped");
                let cause = match self.connectors.of(claim.target).await {
                    Ok(ready) => ready.connector.cause(error),
                    Err(_) => Cause::Settings,
                };
                let refused = Refused {
                    reach: Reach::Target,
                    cause,
                    code: &error.code,
                    reason: &error.message,
                    advice: &error.advice,
                    wish: error.retry_after,
                    settings_revision: None,
                    by: None,
                };
                if let Err(error) = self.store.stop(claim.tenant, claim.target, &refused).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a target could not be stopped");
                }
                Some(error.retry_after.unwrap_or(Duration::from_mins(1)))
            }
            class if error.outcome_unknown || passes(class) => Some(retry_after(failed, class, error.retry_after)),
            _ => None,
        };
        tracing::warn!(target_id = %claim.target, code = error.code, failed, "a scan does not go on");
        self.note(claim, &error.code, text.trim(), again).await;
    }

    async fn note(&self, claim: &ScanClaim, code: &str, text: &str, again: Option<Duration>) {
        let failure = ScanFailure { code, text, again: again.map(|after| self.clock.now() + after) };
        if let Err(error) = self.store.scan_failed(claim, &failure).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "how a scan failed could not be kept");
        }
    }

    async fn go_through(&self, claim: &ScanClaim, progressed: &mut bool) -> Result<(), Hindrance> {
        let ready = match self.connectors.of(claim.target).await {
            Ok(ready) => ready,
            Err(NotReady::Store(error)) => return Err(error.into()),
            Err(NotReady::Gone) => return Err(Hindrance::Lost),
            Err(NotReady::Factory(error)) => return Err(unusable(&error).into()),
        };
        if claim.phase == ScanPhase::Walking {
            self.walk(claim, &ready.connector, progressed).await?;
        }
        if claim.phase != ScanPhase::Linking {
            self.correlate(claim, &ready).await?;
            *progressed = true;
        }
        for _ in 0..TRIES {
            self.held(claim).await?;
            let linking = self.store.link_what_is_certain(claim).await?.ok_or(Hindrance::Lost)?;
            if linking.busy == 0 {
                self.store.end_scan(claim).await?;
                return Ok(());
            }
            sleep(SOON).await;
        }
        let linking = self.store.link_what_is_certain(claim).await?.ok_or(Hindrance::Lost)?;
        Err(Hindrance::Busy(linking.busy))
    }

    /// Holds the scan for longer, if it may go on.
    pub(crate) async fn held(&self, claim: &ScanClaim) -> Result<(), Hindrance> {
        if self.store.hold_scan(claim, LEASE).await? { Ok(()) } else { Err(Hindrance::Lost) }
    }

    async fn walk(
        &self,
        claim: &ScanClaim,
        connector: &Arc<dyn Connector>,
        progressed: &mut bool,
    ) -> Result<(), Hindrance> {
        // A list that leads in a circle is noticed by whoever has read all of it; after a crash from there on.
        let mut cursors: HashMap<String, Cursor> = HashMap::new();
        loop {
            self.held(claim).await?;
            let units = self.store.units_to_read(claim, connector.root_org_unit(), AT_ONCE).await?;
            if units.is_empty() {
                return self.end_walk(claim, connector).await;
            }
            let mut steps = JoinSet::new();
            for unit in units {
                let from = cursors.remove(&unit.remote_id).or_else(|| unit.place.clone().map(Cursor::start));
                let connector = Arc::clone(connector);
                steps.spawn(async move {
                    let stepped = step(connector.as_ref(), &unit, from.as_ref()).await;
                    (unit, stepped)
                });
            }
            let mut failed = None;
            while let Some(ended) = steps.join_next().await {
                match ended {
                    Ok((unit, Ok((step, next, calls)))) => {
                        if !self.store.keep_step(claim, &unit, &step, calls).await? {
                            return Err(Hindrance::Lost);
                        }
                        *progressed = true;
                        cursors.extend(next.map(|cursor| (unit.remote_id, cursor)));
                    }
                    Ok((unit, Err(error))) => {
                        if matches!(error.class, ErrorClass::NotFound | ErrorClass::MissingReference) {
                            self.store.keep_step(claim, &unit, &ScanStep::Doubted, 1).await?;
                        }
                        failed = Some(error);
                    }
                    Err(panic) => {
                        tracing::error!(error = %panic, "a step of a scan ended abnormally");
                        return Err(Hindrance::Defect);
                    }
                }
            }
            if let Some(error) = failed {
                return Err(error.into());
            }
        }
    }

    async fn end_walk(&self, claim: &ScanClaim, connector: &Arc<dyn Connector>) -> Result<(), Hindrance> {
        let administrators = connector.administrators().await?;
        let expected = connector.account_count().await?;
        let hidden = connector.unreadable(EntityKind::Account).await?;
        let hidden = hidden.names().iter().map(|name| (*name).to_owned()).collect();
        let end = WalkEnd { expected, administrators, hidden, calls: 3 };
        if self.store.end_walk(claim, &end).await? { Ok(()) } else { Err(Hindrance::Lost) }
    }
}

/// Looks at an org unit and at what is under it, or reads one page of its accounts.
async fn step(connector: &dyn Connector, unit: &UnitToRead, from: Option<&Cursor>) -> Result<Stepped, ConnectorError> {
    if unit.looked_at {
        let page = connector.accounts_in(&unit.remote_id, from).await?;
        let next = page.next.as_ref().map(|cursor| cursor.place().to_owned());
        return Ok((ScanStep::Accounts { accounts: page.items, next }, page.next, 1));
    }
    let Some(entity) = connector.org_unit(&unit.remote_id).await? else { return Ok((ScanStep::Gone, None, 1)) };
    let children = connector.children(&unit.remote_id).await?;
    let children = children.into_iter().map(|child| below(unit, child)).collect();
    Ok((ScanStep::Unit { attributes: entity.attributes, children }, None, 2))
}

fn below(unit: &UnitToRead, child: Named) -> FoundUnit {
    let key = OrgName::new(&child.name).map_or_else(|| child.name.clone(), |name| name.key);
    let (path, path_key) = if unit.depth == 0 {
        (child.name, key)
    } else {
        (format!("{} / {}", unit.path, child.name), format!("{}{SEPARATOR}{key}", unit.path_key))
    };
    FoundUnit { remote_id: child.remote_id, path, path_key }
}

/// Whether a failure of this class may end by itself.
const fn passes(class: ErrorClass) -> bool {
    matches!(
        class,
        ErrorClass::Transient
            | ErrorClass::RateLimited
            | ErrorClass::KindStopped
            | ErrorClass::NotFound
            | ErrorClass::MissingReference
    )
}

fn retry_after(failed: u32, class: ErrorClass, wish: Option<Duration>) -> Duration {
    retry::decide(class, failed, wish, 0).after
}
