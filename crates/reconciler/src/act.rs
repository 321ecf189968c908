//! One action at the target, with what is known of the entity kept true before and after it.

use crate::connectors::{Connectors, Ready};
use crate::gate::before;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass, NORMAL_ACCOUNT, account_kind};
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{Attributes, Entity, EntityKind, MOBILE, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::ids::ResourceKind;
use rollcall_provisioning::plan::{Action, given_up};
use rollcall_provisioning::stop::{Cause, Reach, Step};
use rollcall_provisioning::window::Nature;
use rollcall_store::projection::{Attempt, Claim, Refused};
use rollcall_store::{Store, StoreError};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// What a delivery is worked on with.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) store: &'a Store,
    pub(crate) connectors: &'a Connectors,
    pub(crate) ready: &'a Ready,
    pub(crate) claim: &'a Claim,
    pub(crate) worker: &'a str,
    pub(crate) now: time::OffsetDateTime,
}

/// Why a delivery ended without an outcome of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Interrupt {
    /// A newer claim exists; nothing more may be written.
    #[error("the claim was lost")]
    LostClaim,
    /// The database failed; the lease will run out and the delivery is claimed again.
    #[error("the database failed")]
    Store(#[from] StoreError),
    /// Nothing of this target works.
    #[error("the target is stopped: {}", .0.message)]
    Stopped(ConnectorError),
    /// Nothing of this kind of entity works. `None`: the kind that the claim's resource must be of, if a read is refused so.
    #[error("a kind of entity is stopped: {}", error.message)]
    KindStopped {
        /// Which kind.
        kind: Option<EntityKind>,
        /// What the target said.
        error: ConnectorError,
    },
    /// It may not be sent now, and is looked at again later.
    #[error("it is to be sent later: {}", .0.reason)]
    Later(Later),
}

/// Why something is not sent now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Later {
    /// When it may be.
    pub(crate) until: time::OffsetDateTime,
    /// What for, as a class and a code.
    pub(crate) cause: (Option<&'static str>, String),
    /// Why, in words for a person.
    pub(crate) reason: String,
}

/// How an action ended, when it ended.
pub(crate) enum Acted {
    /// It was accepted. The entity as it is now; `None` after a deletion.
    Done(Option<Entity>),
    /// It failed, and nothing happened at the target but, perhaps, an invitation, of which the link does not say
    /// anything yet.
    Refused(ConnectorError),
    /// It failed, and what happened is not known: the link stays unknown.
    Lost(ConnectorError),
}

impl Job<'_> {
    /// Carries out `action` on an entity of which `observed` is known.
    pub(crate) async fn act(&self, action: &Action, observed: &Observed) -> Result<Acted, Interrupt> {
        self.is_allowed_for(Nature::of(action)).await?;
        self.is_not_stopped(action).await?;
        // Of what is created only an account has its remote id before it is there; the key of a chat is none.
        let known = !matches!(action, Action::Create { kind, .. } if *kind != EntityKind::Account);
        let remote_id = action.remote_id().filter(|_| known);
        let before = if let Some(number) = may_invite(action) {
            let before = self.store.link_creating(self.claim, remote_id, number).await?;
            Some(before.ok_or(Interrupt::LostClaim)?)
        } else {
            held(self.store.link_unknown(self.claim, remote_id).await?)?;
            None
        };
        let started = Instant::now();
        let result = self.ready.connector.apply(action).await;
        self.keep(action, observed, &result, started.elapsed()).await?;
        match result {
            Ok(applied) => {
                self.works_again(action).await?;
                self.accepted(action, observed, applied.remote_id).await
            }
            Err(error) if error.outcome_unknown => Ok(Acted::Lost(error)),
            Err(error) if error.class == ErrorClass::Invited => Ok(Acted::Refused(error)),
            Err(error) => {
                // Nothing happened: what was known before is still true.
                match (observed, before) {
                    (Observed::Known(entity), _) => held(self.store.link_known(self.claim, entity).await?)?,
                    (_, Some(before)) => {
                        let again = passes(&error) || error.class == ErrorClass::Stopped;
                        held(self.store.link_not_created(self.claim, before, again).await?)?;
                    }
                    (_, None) => held(self.store.link_still_absent(self.claim).await?)?,
                }
                match error.class {
                    ErrorClass::Stopped => Err(Interrupt::Stopped(error)),
                    ErrorClass::KindStopped => Err(Interrupt::KindStopped { kind: Some(action.kind()), error }),
                    _ => {
                        self.count_refusal(action, &error).await?;
                        Ok(Acted::Refused(error))
                    }
                }
            }
        }
    }

    /// Refuses to call for what is stopped, but for the one that tries whether it works again.
    pub(crate) async fn is_not_stopped(&self, action: &Action) -> Result<(), Interrupt> {
        for reach in reaches(action) {
            let Some(stop) = self.ready.target.stop(reach) else { continue };
            let asks = (reach, Nature::of(action) == Nature::EndsAccess);
            let Some(until) = self.store.probe(self.claim.tenant, self.claim.target, asks).await? else { continue };
            let (kind, done) = (action.kind().as_str(), reach.step().map_or("sent", done));
            return Err(Interrupt::Later(Later {
                until,
                cause: (Some(ErrorClass::KindStopped.as_str()), stop.code.clone()),
                reason: format!(
                    "Nothing of this kind ({kind}) is {done} at the moment: {} {}",
                    stop.reason, stop.advice
                ),
            }));
        }
        Ok(())
    }

    /// Such a call was accepted: whatever of it was stopped is not any more.
    pub(crate) async fn works_again(&self, action: &Action) -> Result<(), StoreError> {
        for reach in reaches(action) {
            if self.ready.target.stop(reach).is_some() {
                self.store.clear_stop(self.claim.tenant, self.claim.target, reach).await?;
            }
        }
        Ok(())
    }

    /// The target does not take a value. If it does not take those of too many resources for the same reason, a rule is
    /// wrong rather than a record, and steps of this kind are stopped.
    async fn count_refusal(&self, action: &Action, error: &ConnectorError) -> Result<(), StoreError> {
        let Some(reach) = Reach::of_values(action).filter(|_| error.is_about_values()) else { return Ok(()) };
        let spec = error.attribute.and_then(|name| self.ready.connector.schema().attribute(action.kind(), name));
        if spec.is_some_and(|spec| !spec.required) {
            // It goes on without that attribute.
            return Ok(());
        }
        let (code, object) = (error.code.as_str(), action.kind().as_str());
        let done = reach.step().map_or("sent", done);
        let reason = match self.ready.target.stop(reach).filter(|stop| stop.code == code) {
            // Whoever tries whether it works again need not be one of many.
            Some(stop) => stop.reason.clone(),
            None => match self.store.too_many_refusals(self.claim, (reach, code), self.ready.version).await? {
                Some((refused, of)) => format!(
                    "Of the last {of} ({object}) that were to be {done}, {refused} were refused with the code {code}: {}",
                    error.message
                ),
                None => return Ok(()),
            },
        };
        tracing::error!(target_id = %self.claim.target, stopped = reach.word(), code, "sending is stopped");
        let refused = Refused {
            reach,
            cause: Cause::Values,
            code,
            reason: &reason,
            advice: "Most likely a rule of the mapping is wrong: correct it, or the values at the source.",
            wish: None,
            settings_revision: Some(self.claim.settings_revision),
            by: Some((self.claim.kind, self.claim.resource, self.claim.request_id.as_deref())),
        };
        self.store.stop(self.claim.tenant, self.claim.target, &refused).await?;
        Ok(())
    }

    /// Keeps what an accepted action left. Others are told before the link says so: until then it is unknown, so that
    /// whoever takes over after a crash finds the change, and tells them.
    async fn accepted(&self, action: &Action, observed: &Observed, remote_id: String) -> Result<Acted, Interrupt> {
        let before = match observed {
            Observed::Known(entity) => entity.attributes.clone(),
            Observed::Absent | Observed::Unknown => Attributes::new(),
        };
        if let Action::Delete { kind, .. } = action {
            self.tell_of_values(*kind, &before, None).await?;
            self.account_goes().await?;
            held(self.store.link_absent(self.claim, true).await?)?;
            return Ok(Acted::Done(None));
        }
        let attributes = self.ready.connector.after(&before, action);
        self.tell_of_values(action.kind(), &before, Some(&attributes)).await?;
        if let Action::Create { .. } = action {
            self.store.mark_dependents(self.claim).await?;
        }
        let entity = Entity { remote_id, attributes };
        held(self.store.link_known(self.claim, &entity).await?)?;
        Ok(Acted::Done(Some(entity)))
    }

    /// The account of the claim's person is gone: the target has it in no role and no chat any more.
    pub(crate) async fn account_goes(&self) -> Result<(), Interrupt> {
        if self.claim.maps_groups && self.claim.kind == ResourceKind::User {
            self.store.touch_groups(self.claim, true).await?;
        }
        Ok(())
    }

    /// Wakes those who were refused a value that the entity does not have any more.
    pub(crate) async fn tell_of_values(
        &self,
        kind: EntityKind,
        before: &Attributes,
        after: Option<&Attributes>,
    ) -> Result<(), Interrupt> {
        let values = given_up(kind, before, after, self.ready.connector.schema());
        if !values.is_empty() {
            self.store.wake_refused(self.claim, &values).await?;
        }
        Ok(())
    }

    /// What the claim's resource is at the target.
    pub(crate) const fn entity_kind(&self) -> EntityKind {
        match self.claim.kind {
            ResourceKind::OrgUnit => EntityKind::OrgUnit,
            ResourceKind::User | ResourceKind::Group => EntityKind::Account,
        }
    }

    /// What an accepted action touched, before and after it.
    fn images(&self, action: &Action, observed: &Observed) -> (Option<Attributes>, Option<Attributes>) {
        let had = before(observed);
        match action {
            Action::Create { attributes, .. } => (None, Some(attributes.clone())),
            Action::Delete { .. } => (Some(had.clone()), None),
            Action::Update { changes, .. } => {
                let touched = |attributes: &Attributes| {
                    attributes
                        .iter()
                        .filter(|(name, _)| changes.contains_key(*name))
                        .map(|(n, v)| (n.clone(), v.clone()))
                        .collect()
                };
                (Some(touched(had)), Some(touched(&self.ready.connector.after(had, action))))
            }
            Action::AddMembers { .. } | Action::RemoveMembers { .. } => (None, None),
        }
    }

    /// Keeps an attempt.
    pub(crate) async fn keep(
        &self,
        action: &Action,
        observed: &Observed,
        result: &Result<rollcall_provisioning::connector::Applied, ConnectorError>,
        took: Duration,
    ) -> Result<(), StoreError> {
        let what = action.kind().as_str();
        let error = result.as_ref().err();
        let outcome = match error {
            None => "accepted",
            Some(error) if error.outcome_unknown => "unknown",
            Some(_) => "failed",
        };
        let (before, after) = if error.is_none() { self.images(action, observed) } else { (None, None) };
        let attempt = Attempt {
            action: &format!("{} {what}", action.verb()),
            attributes: action.attributes().into_iter().map(str::to_owned).collect(),
            outcome,
            error_class: error.map(|error| error.class.as_str()),
            error_code: error.map(|error| error.code.as_str()),
            message: error.map(|error| error.message.as_str()),
            duration_ms: i32::try_from(took.as_millis()).unwrap_or(i32::MAX),
            worker: self.worker,
            before,
            after,
            mapping_version: self.ready.version,
        };
        metrics::counter!("rollcall_changes_total", "kind" => what, "action" => action.verb(), "result" => outcome)
            .increment(1);
        self.store.keep_attempt(self.claim, &attempt).await
    }
}

/// What a call may be stopped by, besides the whole target.
fn reaches(action: &Action) -> impl Iterator<Item = Reach> {
    [Some(Reach::Kind(action.kind())), Reach::of_values(action)].into_iter().flatten()
}

const fn done(step: Step) -> &'static str {
    match step {
        Step::Create => "created",
        Step::Update => "changed",
    }
}

/// Ends the delivery when a write says that the claim is lost.
pub(crate) fn held(written: bool) -> Result<(), Interrupt> {
    if written { Ok(()) } else { Err(Interrupt::LostClaim) }
}

/// What a failed *read* means for the delivery.
pub(crate) fn unread(error: ConnectorError) -> Result<Outcome, Interrupt> {
    match error.class {
        ErrorClass::Stopped => Err(Interrupt::Stopped(error)),
        ErrorClass::KindStopped => Err(Interrupt::KindStopped { kind: None, error }),
        _ => Ok(ended(&error)),
    }
}

/// Whether a failure passes by itself.
const fn passes(error: &ConnectorError) -> bool {
    matches!(
        error.class,
        ErrorClass::Transient
            | ErrorClass::RateLimited
            | ErrorClass::KindStopped
            | ErrorClass::NotFound
            | ErrorClass::MissingReference
    )
}

/// The number whose owner the target may invite instead of carrying out this action. Whoever signs in at the organisation
/// itself needs no number, and is not asked.
fn may_invite(action: &Action) -> Option<&str> {
    let Action::Create { kind: EntityKind::Account, attributes, .. } = action else { return None };
    let is_normal = account_kind(attributes).is_none_or(|kind| kind == NORMAL_ACCOUNT);
    attributes.get(MOBILE).and_then(Value::as_str).filter(|_| is_normal)
}

/// What a failure means for a delivery that can do nothing about it by itself.
pub(crate) fn ended(error: &ConnectorError) -> Outcome {
    if passes(error) || error.outcome_unknown {
        let class = if error.class == ErrorClass::RateLimited { error.class } else { ErrorClass::Transient };
        return Outcome::Failed {
            class,
            code: error.code.clone(),
            message: error.message.clone(),
            retry_after: error.retry_after,
        };
    }
    Outcome::attention(vec![finding(error)])
}

/// A refusal as a finding.
pub(crate) fn finding(error: &ConnectorError) -> Finding {
    Finding {
        kind: error.class.finding(),
        code: error.code.clone(),
        attribute: error.attribute.map(str::to_owned),
        source_path: error.attribute.and_then(rollcall_provisioning::mapping::source_path).map(str::to_owned),
        message: error.message.clone(),
        advice: error.advice.clone(),
    }
}
