//! One claimed delivery from its beginning to its record.

use crate::act::{Interrupt, Job, Later};
use crate::connectors::{Connectors, FactoryError, NotReady};
use crate::worker::Options;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::delivery::{DeliveryState, HeldBy, Outcome, Standing, WaitingFor, next};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::ResourceKind;
use rollcall_provisioning::stop::{Cause, Reach};
use rollcall_provisioning::time::Clock;
use rollcall_store::projection::{Claim, Recorded, Refused};
use rollcall_store::{Store, StoreError};
use std::sync::Arc;
use uuid::Uuid;

/// What all deliveries of a worker share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) connectors: Connectors,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
}

/// How a delivery ended, and the version that the target has now, if it has the resource's state.
type End = (Outcome, Option<i64>);

impl Shared {
    /// Does what a claim asks for and records how it ended.
    pub(crate) async fn work(&self, claim: &Claim) {
        let limit = self.options.limit;
        let end = tokio::time::timeout(limit, self.deliver(claim)).await.unwrap_or_else(|_| {
            let message = format!("The delivery was not done within {} seconds.", limit.as_secs());
            Ok((failed("took_too_long", message), None))
        });
        let health = self.connectors.health(claim.target);
        let away = match &end {
            Ok((Outcome::Failed { .. }, _)) => health.as_ref().and_then(|(health, stopped)| health.away(*stopped)),
            _ => None,
        };
        if health.is_some_and(|(health, stopped)| stopped && health.answers())
            && let Err(error) = self.store.clear_stop(claim.tenant, claim.target, Reach::Target).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "a stop that is over was not forgotten");
        }
        let recorded = match end {
            Ok(_) if let Some(error) = &away => self.stop(claim, (Reach::Target, Some(Cause::Outage)), error).await,
            Ok((outcome, version)) => self.record(claim, &outcome, version).await,
            Err(Interrupt::LostClaim) => Ok(()),
            Err(Interrupt::Store(error)) => {
                let resource = claim.resource.to_string();
                tracing::warn!(resource, error = &error as &dyn std::error::Error, "the database failed a delivery");
                // Two workers may have stood in each other's way. If not even this can be recorded, the lease runs out
                // and the delivery is claimed again.
                let message = "Rollcall's own database failed during this delivery; the server's log says how.";
                self.record(claim, &failed("database", message.to_owned()), None).await
            }
            Err(Interrupt::Stopped(error)) => self.stop(claim, (Reach::Target, None), &error).await,
            Err(Interrupt::KindStopped { kind, error }) => {
                let reach = Reach::Kind(kind.unwrap_or(kind_refused(claim.kind)));
                self.stop(claim, (reach, None), &error).await
            }
            Err(Interrupt::Later(later)) => self.wait(claim, &later).await,
        };
        self.log_unrecorded(claim, recorded);
    }

    /// Records that the work on a claim ended in a panic: it is tried again like any other failure, not at the pace of
    /// leases that run out.
    pub(crate) async fn record_panic(&self, claim: &Claim) {
        let message = "This delivery hit a defect of Rollcall; the server's log says where.";
        let recorded = self.record(claim, &failed("panic", message.to_owned()), None).await;
        self.log_unrecorded(claim, recorded);
    }

    fn log_unrecorded(&self, claim: &Claim, recorded: Result<(), StoreError>) {
        if let Err(error) = recorded {
            let (resource, worker) = (claim.resource.to_string(), &self.options.worker);
            let error = &error as &dyn std::error::Error;
            tracing::error!(resource, worker, error, "a delivery could not be recorded");
        }
    }

    async fn deliver(&self, claim: &Claim) -> Result<End, Interrupt> {
        let end = self.attempt(claim).await;
        if !matches!(end, Err(Interrupt::LostClaim)) {
            self.store.wake_waiting(claim).await?;
            if claim.maps_groups && claim.kind == ResourceKind::User {
                self.store.wake_groups(claim).await?;
            }
        }
        end
    }

    async fn attempt(&self, claim: &Claim) -> Result<End, Interrupt> {
        let ready = match self.connectors.get(claim).await {
            Ok(ready) => ready,
            Err(NotReady::Store(error)) => return Err(error.into()),
            Err(NotReady::Gone) => return Err(Interrupt::LostClaim),
            Err(NotReady::Factory(error)) => return Err(Interrupt::Stopped(unusable(&error))),
        };
        if ready.version != claim.mapping_version {
            // Whether a plan has to permit something is told by the rules that counted at the claim.
            let reason = "The rules were changed at this moment.".to_owned();
            return Ok((Outcome::Waiting { on: WaitingFor::Turn, reason }, None));
        }
        let job = Job {
            store: &self.store,
            connectors: &self.connectors,
            ready: &ready,
            claim,
            worker: &self.options.worker,
            now: self.clock.now(),
        };
        match claim.kind {
            ResourceKind::OrgUnit => Ok((job.deliver_department().await?, None)),
            ResourceKind::User => {
                let loaded = self.store.load_user(claim).await?;
                match &loaded.user {
                    Some(user) if user.present => {
                        let outcome = job.deliver_account(&user.attributes, &loaded).await?;
                        let applied =
                            matches!(outcome, Outcome::InStep | Outcome::LeftOut { .. }).then_some(user.version);
                        Ok((outcome, applied))
                    }
                    user => {
                        let outcome = job.deliver_departure(&loaded, None).await?;
                        if outcome == Outcome::Gone {
                            // Not before: whoever is held, or comes back in time, has everything as it was.
                            job.end_all_overrides(&loaded.overrides, "The person has left.").await?;
                        }
                        let applied = matches!(outcome, Outcome::Gone | Outcome::Kept { .. })
                            .then_some(user.as_ref().map(|user| user.version));
                        Ok((outcome, applied.flatten()))
                    }
                }
            }
            ResourceKind::Group => job.deliver_group().await,
        }
    }

    async fn record(&self, claim: &Claim, outcome: &Outcome, version: Option<i64>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let seed = claim.resource.0.as_u64_pair().1;
        let standing = next(outcome, claim.attempt, now, seed);
        // First, so that a crash in between leaves the plan with its end, and the delivery to be looked at once more.
        if let Some(plan) = claim.permit {
            self.report_to_plan(claim, plan, &standing).await?;
        }
        if let (Some(HeldBy::Rehearsal), Some(proposal)) = (&standing.held_by, &standing.proposal) {
            self.store.count_rehearsed(claim, proposal).await?;
        }
        let recorded = self.store.record(claim, &standing, version).await?;
        let (resource, state) = (claim.resource.to_string(), standing.state.as_str());
        let (kind, code) = (claim.kind.as_str(), standing.error_code.as_deref());
        tracing::debug!(resource, kind, state, code, ?recorded, "delivery ended");
        if recorded == Recorded::LostClaim {
            return Ok(());
        }
        if standing.state == DeliveryState::Gone && claim.maps_groups && claim.kind == ResourceKind::User {
            // Whoever is not to have an account is waited for no longer.
            self.store.touch_groups(claim, false).await?;
        }
        if standing.alert {
            tracing::warn!(resource, kind, code, tries = standing.attempt, "a delivery keeps failing");
            self.store.alert(claim, &standing).await?;
        }
        if matches!(standing.state, DeliveryState::InStep | DeliveryState::Gone) {
            // A delivery that needed no call says nothing of a target that did not answer.
            let unknown =
                self.connectors.health(claim.target).is_some_and(|(health, stopped)| stopped && !health.answers());
            if !unknown {
                self.store.clear_stop(claim.tenant, claim.target, Reach::Target).await?;
            }
            // A second look at what the target has already is no answer to a change that was received.
            if let Some(since) = claim.dirty_since.filter(|_| version > claim.applied_version) {
                let class = if standing.state == DeliveryState::Gone { "leaver" } else { "other" };
                let seconds = (now - since).as_seconds_f64().max(0.0);
                metrics::histogram!("rollcall_change_latency_seconds", "class" => class, "stage" => "received_to_applied")
                    .record(seconds);
            }
        }
        Ok(())
    }

    /// Tells the plan that permitted a delivery how it ended; while it goes on the plan waits.
    async fn report_to_plan(&self, claim: &Claim, plan: Uuid, standing: &Standing) -> Result<(), StoreError> {
        let state = match standing.state {
            DeliveryState::InStep | DeliveryState::Gone => "applied",
            DeliveryState::NeedsAttention => "failed",
            DeliveryState::Held => "moved",
            DeliveryState::Pending | DeliveryState::Applying | DeliveryState::Retrying | DeliveryState::Waiting => {
                return Ok(());
            }
        };
        self.store.plan_change_ended(claim, plan, state, standing.reason.as_deref()).await
    }

    /// Nothing of the target works, or nothing of a kind of entity: that is stopped, and the delivery waits for it without
    /// blame.
    async fn stop(
        &self,
        claim: &Claim,
        (reach, cause): (Reach, Option<Cause>),
        error: &ConnectorError,
    ) -> Result<(), StoreError> {
        let cause = match (cause, self.connectors.get(claim).await) {
            (Some(cause), _) => cause,
            (None, Ok(ready)) => ready.connector.cause(error),
            (None, Err(_)) => Cause::Settings,
        };
        let stopped = reach.kind().map_or("everything", EntityKind::as_str);
        tracing::error!(target_id = %claim.target, stopped, cause = cause.as_str(), code = error.code, "sending is stopped");
        let refused = Refused {
            reach,
            cause,
            code: &error.code,
            reason: &error.message,
            advice: &error.advice,
            wish: error.retry_after,
            settings_revision: Some(claim.settings_revision),
            by: Some((claim.kind, claim.resource, claim.request_id.as_deref())),
        };
        let next = self.store.stop(claim.tenant, claim.target, &refused).await?;
        let standing = match reach {
            // The gate of the target keeps it, so that nothing but the gate has to be opened.
            Reach::Target => Standing {
                state: DeliveryState::Retrying,
                due_at: Some(self.clock.now()),
                ..Self::waits(
                    claim,
                    Some(error.class.as_str()),
                    &error.code,
                    &format!("{} {}", error.message, error.advice),
                )
            },
            Reach::Kind(_) | Reach::Steps(..) => Standing {
                due_at: Some(next.unwrap_or_else(|| self.clock.now())),
                ..Self::waits(
                    claim,
                    Some(error.class.as_str()),
                    &error.code,
                    &format!("{} {}", error.message, error.advice),
                )
            },
        };
        self.store.record(claim, &standing, None).await?;
        Ok(())
    }

    /// It may not be sent now: it is due when it may be.
    async fn wait(&self, claim: &Claim, later: &Later) -> Result<(), StoreError> {
        let (class, code) = &later.cause;
        let standing = Standing { due_at: Some(later.until), ..Self::waits(claim, *class, code, &later.reason) };
        self.store.record_later(claim, &standing).await?;
        Ok(())
    }

    fn waits(claim: &Claim, class: Option<&'static str>, code: &str, reason: &str) -> Standing {
        Standing {
            state: DeliveryState::Waiting,
            due_at: None,
            attempt: claim.attempt,
            waiting_for: None,
            held_by: None,
            proposal: None,
            wants: Vec::new(),
            error_class: class,
            error_code: Some(code.to_owned()),
            reason: Some(reason.trim().to_owned()),
            alert: false,
        }
    }
}

/// Which kind of entity is meant when a read is refused because of its kind: accounts and departments have no permission or
/// quota of their own.
const fn kind_refused(kind: ResourceKind) -> EntityKind {
    match kind {
        ResourceKind::User => EntityKind::Contact,
        ResourceKind::OrgUnit => EntityKind::OrgUnit,
        ResourceKind::Group => EntityKind::Chat,
    }
}

/// A failure on our own side that passes.
fn failed(code: &str, message: String) -> Outcome {
    Outcome::Failed { class: ErrorClass::Transient, code: code.to_owned(), message, retry_after: None }
}

/// No connector can be made of the target's settings.
pub(crate) fn unusable(error: &FactoryError) -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Stopped,
        code: "target_settings".to_owned(),
        message: format!("The target cannot be used: {error}."),
        advice: "Correct the settings of the target.".to_owned(),
        attribute: None,
        retry_after: None,
        outcome_unknown: false,
    }
}
