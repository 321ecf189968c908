//! Surveys: everybody of a target is looked at, after something changed for all of them at once.
//!
//! Most people can be settled from what is stored: nothing is to be done, or what is to be done is held. This is decided
//! here for a page of people at a time, by the same rules as for one of them. Whoever needs a call, a reading or a guard
//! is marked, and a worker looks at them one by one.

use crate::account::ending;
use crate::act::Job;
use crate::connectors::NotReady;
use crate::contact::is_contact;
use crate::delivery::Shared;
use crate::gate::Asked;
use crate::report;
use rollcall_provisioning::contradiction;
use rollcall_provisioning::delivery::{DeliveryState, HeldBy, Outcome, next};
use rollcall_provisioning::entity::{self, Observed};
use rollcall_provisioning::mapping::{Mapped, Mapping, PersonKind};
use rollcall_provisioning::proposal::Paths;
use rollcall_store::StoreError;
use rollcall_store::projection::{
    LoadedUser, Settled, Survey, SurveyPage, SurveyPlace, SurveyUnits, Surveyed, TargetMode,
};
use std::time::Duration;
use tokio::task::{JoinError, yield_now};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

/// How long a survey is held without a page that was kept.
const LEASE: Duration = Duration::from_secs(30);

/// How many people are judged before others get a turn.
const WITHOUT_PAUSE: usize = 50;

/// A page as it is to be kept.
#[derive(Default)]
struct Kept {
    seen: Vec<Uuid>,
    settled: Vec<Settled>,
}

/// Why a survey did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfinished {
    #[error("the database failed")]
    Store(#[from] StoreError),
    #[error("the target or its mapping cannot be used")]
    NotReady(#[from] NotReady),
    #[error("a page was given up")]
    GivenUp(#[from] JoinError),
}

impl Shared {
    /// Goes on with surveys until there is none, or until `stop` is cancelled.
    pub(crate) async fn survey(&self, stop: &CancellationToken) -> Result<(), Unfinished> {
        while let Some(survey) = self.store.claim_survey(&self.options.worker, LEASE).await? {
            let end = tokio::select! {
                end = self.survey_target(&survey) => end,
                () = stop.cancelled() => {
                    self.store.release_survey(&survey).await?;
                    return Ok(());
                }
            };
            end?;
        }
        Ok(())
    }

    /// While a page is judged the one before it is kept and the one after it is read, each on a thread of its own: they have
    /// nobody in common.
    async fn survey_target(&self, survey: &Survey) -> Result<(), Unfinished> {
        let mut page = self.read_page(survey, survey.after).await??;
        let mut judged = Kept::default();
        while let Some(last) = page.people.last().map(|person| person.claim.resource.0) {
            let keeping = self.keep_page(survey, judged);
            let reading = self.read_page(survey, Some(last));
            let settled = self.judge_page(&page).await?;
            if !keeping.await?? {
                return Ok(());
            }
            let seen = page.people.iter().map(|person| person.claim.resource.0).collect();
            judged = Kept { seen, settled };
            page = reading.await??;
        }
        if self.keep_page(survey, judged).await?? {
            self.store.end_survey(survey).await?;
        }
        Ok(())
    }

    fn read_page(&self, survey: &Survey, after: Option<Uuid>) -> AbortOnDropHandle<Result<SurveyPage, StoreError>> {
        let (store, survey, size) = (self.store.clone(), survey.clone(), i64::from(self.options.page));
        beside(async move { store.survey_page(&survey, after, size).await })
    }

    fn keep_page(&self, survey: &Survey, judged: Kept) -> AbortOnDropHandle<Result<bool, StoreError>> {
        let (store, survey) = (self.store.clone(), survey.clone());
        beside(async move { store.keep_survey_page(&survey, &judged.seen, &judged.settled, LEASE).await })
    }

    /// Those of a page who can be settled.
    async fn judge_page(&self, page: &SurveyPage) -> Result<Vec<Settled>, Unfinished> {
        let mut settled = Vec::with_capacity(page.people.len());
        let Some(first) = page.people.first() else { return Ok(settled) };
        let ready = self.connectors.get(&first.claim).await?;
        let now = self.clock.now();
        for (number, person) in page.people.iter().enumerate() {
            if number % WITHOUT_PAUSE == 0 {
                // Whatever else this thread is for gets on.
                yield_now().await;
            }
            let job = Job {
                store: &self.store,
                connectors: &self.connectors,
                ready: &ready,
                claim: &person.claim,
                worker: &self.options.worker,
                now,
            };
            let Some(judged) = job.judge(person, page) else { continue };
            let seed = person.claim.resource.0.as_u64_pair().1;
            let standing = next(&judged.outcome, person.claim.attempt, now, seed);
            let in_step = matches!(judged.outcome, Outcome::InStep | Outcome::LeftOut { .. });
            let applied_version = person.loaded.user.as_ref().filter(|_| in_step).map(|user| user.version);
            settled.push(Settled { claim: person.claim.clone(), standing, applied_version, places: judged.places });
        }
        Ok(settled)
    }
}

/// Runs something on another thread, as long as somebody waits for it.
#[expect(clippy::disallowed_methods, reason = "whoever waits for it is told of its panic")]
fn beside<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> AbortOnDropHandle<T> {
    AbortOnDropHandle::new(tokio::spawn(work))
}

/// What comes of a person without a call.
struct Judged {
    outcome: Outcome,
    /// Where they belong, if that is to be noted.
    places: Vec<SurveyPlace>,
}

impl From<Outcome> for Judged {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, places: Vec::new() }
    }
}

impl Job<'_> {
    /// What comes of a person, if it can be told from what is stored; `None` leaves it to a delivery.
    fn judge(&self, person: &Surveyed, page: &SurveyPage) -> Option<Judged> {
        let Surveyed { claim, claimed, state, expected, loaded } = person;
        // What the groups of a person are within, and what was decided about them by hand, is not on the page. What is held
        // against the rules may end by them, which a delivery notes.
        if *claimed || claim.permit.is_some() || claim.asks_groups || !loaded.overrides.is_empty() {
            return None;
        }
        let nothing_there = loaded.link.as_ref().is_none_or(|link| link.observed == Observed::Absent);
        let nowhere = loaded.placement.wanted.is_empty() && loaded.placement.applied.is_empty();
        let Some(user) = loaded.user.as_ref().filter(|user| user.present) else {
            let at_rest = *state == DeliveryState::Gone && claim.dirty_since.is_none();
            // Who takes over, and when what is kept is erased, is found out by a delivery.
            let settled = at_rest && nothing_there && nowhere && !self.has_days_to_come(loaded);
            return settled.then(|| Outcome::Gone.into());
        };
        if loaded.handed_over {
            return None;
        }
        let observed = match &loaded.link {
            None => Observed::Absent,
            Some(link) if link.left_at.is_none() && matches!(link.observed, Observed::Known(_)) => {
                link.observed.clone()
            }
            Some(_) => return None,
        };
        let mapped = self.ask_rules(&user.attributes, loaded, Mapping::person);
        if !mapped.scope.included {
            let left_out = Outcome::LeftOut { reason: mapped.scope.reason() };
            return (loaded.link.is_none() && nowhere).then(|| left_out.into());
        }
        if mapped.kind == PersonKind::Contact || is_contact(loaded.link.as_ref()) {
            return None;
        }
        // What is to be done by the rules that still count for the account is left to a delivery.
        let settled =
            matches!(state, DeliveryState::InStep | DeliveryState::Held | DeliveryState::NeedsAttention) && !expected;
        let by_earlier_rules = self.is_remapped(loaded.link.as_ref()) && !settled;
        if mapped.blocked {
            return (!by_earlier_rules).then(|| Outcome::attention(mapped.findings).into());
        }
        let judged = self.judge_wish(mapped, loaded, &observed, &page.units)?;
        let sends = matches!(judged.outcome, Outcome::Held { .. });
        if sends && by_earlier_rules {
            return None;
        }
        (!sends || !page.untouchable.contains(&claim.resource.0)).then_some(judged)
    }

    /// Whether the rules say more of somebody who is gone than that, or said so before.
    fn has_days_to_come(&self, loaded: &LoadedUser) -> bool {
        let erased = loaded.user.as_ref().is_some_and(|user| {
            self.ask_rules(&user.attributes, loaded, Mapping::leaver).stages.erased_after_days.is_some()
        });
        erased || loaded.to_be_erased || loaded.handed_over || self.ready.mapping.names_successors()
    }

    fn judge_wish(
        &self,
        mapped: Mapped,
        loaded: &LoadedUser,
        observed: &Observed,
        units: &SurveyUnits,
    ) -> Option<Judged> {
        let rehearsal = self.claim.mode == TargetMode::Rehearsal;
        let remapped = self.is_remapped(loaded.link.as_ref());
        let departments = mapped.departments.clone();
        let named = departments.iter().filter(|department| !department.path.is_empty());
        let mut headed: Vec<Uuid> = Vec::new();
        let found = departments.iter().map(|department| {
            let found = units.find(self.claim.target, &department.path).filter(|_| !department.path.is_empty());
            headed.extend(found.filter(|_| department.head).map(|(unit, _)| unit));
            (department, found.map(|(unit, remote_id)| (unit, remote_id.map(str::to_owned))))
        });
        let placing = self.found_at(found.collect::<Vec<_>>());
        headed.sort_unstable();
        headed.dedup();
        let all_there = named.clone().all(|department| {
            units.find(self.claim.target, &department.path).is_some_and(|(_, remote_id)| remote_id.is_some())
        });
        let all_noted = named.clone().count() == 0
            || named.clone().all(|department| units.find(self.claim.target, &department.path).is_some());
        let noted = all_noted && loaded.placement.wanted == placing.units && loaded.placement.headed == headed;
        let nowhere = loaded.placement.wanted.is_empty() && loaded.placement.applied.is_empty();
        let mut wish = self.wish(mapped, loaded, placing);
        let desired = wish.desired(observed);
        let made = self.plan_account(&wish, &desired, observed, loaded.link.as_ref());
        let connector = &self.ready.connector;
        let action = made.actions.first();
        let by = match action {
            Some(_) if self.claim.adopted => HeldBy::Adoption,
            Some(_) if rehearsal => HeldBy::Rehearsal,
            Some(_) if remapped => HeldBy::Mapping(self.claim.mapping_version),
            Some(_) => return None,
            None => {
                let placed =
                    !wish.attributes.contains_key(entity::ORG_UNITS) || loaded.placement.applied == *wish.units();
                if !(noted && all_there && placed) {
                    return None;
                }
                wish.findings.extend(made.findings);
                return match ending(wish, loaded) {
                    outcome @ (Outcome::InStep | Outcome::NeedsAttention { awaited: None, again: None, .. }) => {
                        Some(outcome.into())
                    }
                    _ => None,
                };
            }
        };
        let action = action?;
        let places = match (rehearsal, noted) {
            (_, true) => Vec::new(),
            // Under other rules nobody is placed before a plan permits it.
            (false, false) if remapped => Vec::new(),
            (true, false) if nowhere => {
                named.map(|department| SurveyPlace { path: department.path.clone(), head: department.head }).collect()
            }
            (_, false) => return None,
        };
        if !rehearsal && !remapped && !all_there {
            return None;
        }
        if !remapped
            && let Err(found) = contradiction::judge(&made, &desired, connector.schema(), connector.root_org_unit())
        {
            return Some(report::contradiction(&found).into());
        }
        let asked = Asked { by_new_rules: remapped, ..wish.asks(action, observed) };
        let known = |id: &str| units.paths.get(id).map(|path| (id.to_owned(), path.clone()));
        let paths: Paths = self.unknown_units(&asked).into_iter().filter_map(known).collect();
        let proposal = self.in_words(&asked, paths);
        let mut findings = wish.findings.clone();
        findings.extend(made.findings.iter().cloned());
        Some(Judged { outcome: report::held_back(by, action, proposal, &findings), places })
    }
}
