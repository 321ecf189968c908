//! Doing what a step says.

use anyhow::Context;
use axum::http::Method;
use rollcall_dingtalk::DingTalkSchema;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guards;
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::{ApplyError, MarkAgain, NewPlan, PlanScope, TargetMode, Wave};
use serde_json::{Value, json};

use super::directory::mobile;
use super::hand;
use super::ports::START_MS;
use super::rules::Rules;
use super::run::Run;
use super::script::{Action, PEOPLE, Planning, Put};
use super::stage::ask;

impl Run<'_> {
    /// Does it. What makes no sense now is not done.
    pub(crate) async fn perform(&mut self, action: &Action) -> anyhow::Result<()> {
        let store = self.stage.store.clone();
        match action {
            Action::Create { person, place, boss, user_type } => {
                self.directory.create(&store, *person, *place, (*boss, *user_type)).await?;
            }
            Action::Put(person, put) => self.directory.put(&store, *person, *put).await?,
            Action::Rename { from, to } => {
                for number in 0..PEOPLE {
                    if self.directory.living(number).is_some_and(|person| person.place == *from) {
                        self.directory.put(&store, number, Put::Place(*to)).await?;
                    }
                }
            }
            Action::Delete(person) => self.directory.delete(&store, *person).await?,
            Action::Exodus { first, number } => {
                for number in (*first..first + number).map(|number| number % PEOPLE) {
                    self.directory.put(&store, number, Put::Active(false)).await?;
                }
            }
            Action::Group(group, circle) => self.directory.circle(&store, *group, *circle).await?,
            Action::ByHand(hand) => {
                self.hands += 1;
                self.drifted |= hand::edit(&self.simulator, &mut self.watch, *hand, self.hands).await?;
            }
            Action::Mode(mode) => self.mode_is(mode).await?,
            Action::Plan(planning) => self.plan(*planning).await?,
            Action::Undo { what, at_once } => self.undo(*what, *at_once).await?,
            Action::Lift(number) => self.lift(*number).await?,
            Action::Linking(linking) => self.linking(*linking).await?,
            Action::Guards(floor) => self.guards(*floor).await?,
            Action::Mapping(rules) => self.mapping_is(*rules).await?,
            Action::Crash(worker) => self.crash(*worker).await?,
            Action::Cut(worker) => {
                let number = worker % self.workers.len();
                if let Some(worker) = self.workers.get_mut(number) {
                    worker.cut = true;
                }
            }
            Action::Freeze(worker) => {
                let number = worker % self.workers.len();
                if let Some(worker) = self.workers.get_mut(number) {
                    worker.frozen = true;
                }
            }
            Action::Thaw => self.thaw(),
            Action::Fault(rule) => {
                let rule: Value = serde_json::from_str(rule)?;
                ask(&self.simulator, Method::POST, "faults", Some(&rule)).await?;
            }
            Action::Heal => self.heal().await?,
            Action::Late(ms) => self.lateness = Some(*ms),
            Action::Outsider { mobile: number, what } => {
                let about = json!({ "mobile": mobile(*number), *what: true });
                ask(&self.simulator, Method::POST, "people", Some(&about)).await?;
            }
            Action::Answer { accept, which } => {
                hand::answer(&self.simulator, *accept, *which).await?;
            }
            Action::Retry => {
                store.mark_again(self.directory.tenant, &MarkAgain::default(), "retry").await?;
            }
            Action::Collect => {
                store.collect(100).await?;
            }
            Action::Time(ms) => {
                self.finish().await?;
                self.advance(i64::try_from(*ms)?).await?;
            }
        }
        Ok(())
    }

    /// Nobody is frozen any more.
    pub(crate) fn thaw(&mut self) {
        self.workers.iter_mut().for_each(|worker| worker.frozen = false);
    }

    /// Nothing is broken any more.
    pub(crate) async fn heal(&mut self) -> anyhow::Result<()> {
        self.lateness = None;
        ask(&self.simulator, Method::DELETE, "faults", None).await.map(drop)
    }

    /// Sets whether changes are sent.
    pub(crate) async fn mode_is(&mut self, mode: &str) -> anyhow::Result<()> {
        if let Some(mode) = TargetMode::parse(mode) {
            self.stage.store.set_target_mode(self.directory.tenant, self.target, mode).await?;
        }
        Ok(())
    }

    /// Saves a version of the mapping.
    async fn mapping_is(&mut self, rules: Rules) -> anyhow::Result<()> {
        let (store, tenant, document) = (&self.stage.store, self.directory.tenant, rules.document());
        let compiled = store.compile_mapping(tenant, &document, &DingTalkSchema).await?;
        compiled.map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
        store.save_mapping(tenant, &NewMapping { document: &document, note: "", by: "ann", after: None }).await?;
        self.rules = rules;
        self.watch.versions.push(rules);
        self.watch.mapped_at = self.stage.clock.ms() - START_MS;
        Ok(())
    }

    async fn guards(&mut self, floor: u64) -> anyhow::Result<()> {
        let limit = json!({ "floor": floor, "share": 0.0, "day": 2, "week": 4 });
        let once = json!({ "floor": floor, "share": 0.0 });
        let guards = json!({ "people.remove": limit, "departments.remove": once, "people.move": once });
        self.watch.floors.push((self.stage.clock.ms() - START_MS, Some(floor)));
        let (whose, guards) = ((self.directory.tenant, self.target), Guards::parse(&guards)?);
        let set = self.stage.store.change_guards(whose, "ann", |_, _| anyhow::Ok(guards));
        set.await?.context("there is a target")??;
        Ok(())
    }

    /// Makes a plan of all that is held.
    pub(crate) async fn make_plan(&mut self) -> anyhow::Result<uuid::Uuid> {
        let targets = self.stage.store.targets(self.directory.tenant).await?;
        let guards = targets.into_iter().next().map(|target| target.guards).unwrap_or_default();
        let scope = PlanScope::default();
        let new = NewPlan { target: self.target, scope: &scope, guards: &guards, by: "ann" };
        let plan = self.stage.store.make_plan(self.directory.tenant, &new).await?;
        self.plans.push(plan);
        Ok(plan)
    }

    async fn plan(&mut self, planning: Planning) -> anyhow::Result<()> {
        let (store, tenant) = (self.stage.store.clone(), self.directory.tenant);
        if planning == Planning::Make {
            self.make_plan().await?;
            return Ok(());
        }
        let Some(plan) = self.plans.last().copied() else { return Ok(()) };
        let done = match planning {
            Planning::Make => Ok(()),
            Planning::Apply => self.apply(plan, &Wave::All).await,
            Planning::ApplySome(people) => self.apply(plan, &Wave::People(people)).await,
            Planning::Release => self.release(plan).await,
            Planning::Reject => store.reject_plan(tenant, plan, "ann").await,
        };
        self.refused(done)
    }

    /// Two people release what guards hold of a plan.
    async fn release(&self, plan: uuid::Uuid) -> Result<(), ApplyError> {
        let (store, tenant) = (&self.stage.store, self.directory.tenant);
        store.request_release(tenant, plan, &Decider::new("ann"), "it is meant").await?;
        store.release_plan(tenant, plan, &Decider::new("bob")).await
    }

    /// Releases a plan, if there is anything to release, and applies all of it.
    pub(crate) async fn release_and_apply(&mut self, plan: uuid::Uuid) -> Result<(), ApplyError> {
        match self.release(plan).await {
            Ok(()) | Err(ApplyError::NotGuarded) => self.apply(plan, &Wave::All).await,
            refused => refused,
        }
    }

    /// A plan that is too old, over, or not what is held any more, is not applied.
    pub(crate) fn refused(&mut self, done: Result<(), ApplyError>) -> anyhow::Result<()> {
        match done {
            Err(ApplyError::Store(error)) => Err(error.into()),
            Err(refused) => {
                self.note(&format!("refused: {refused}"));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Applies a plan.
    pub(crate) async fn apply(&mut self, plan: uuid::Uuid, wave: &Wave) -> Result<(), ApplyError> {
        self.stage.store.apply_plan(self.directory.tenant, plan, wave, "ann").await?;
        self.watch.applied.insert(plan);
        Ok(())
    }
}
