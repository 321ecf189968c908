//! Whoever the organisation cannot do without is not removed because a source says so: it takes two people.

use anyhow::Context;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::entity;
use rollcall_provisioning::guard::Guards;
use rollcall_scim::profile::ManagerBy;
use rollcall_store::projection::{NewPlan, PlanScope, TargetMode, Wave};
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

impl World {
    /// Somebody makes an account an administrator's in the target's own console, or takes that away.
    pub(crate) fn administers(&self, name: &str, administers: bool) {
        self.fake.holdings(|held| {
            let account = held.accounts.values_mut().find(|account| account[entity::NAME] == name);
            let before = account.map(|account| account.insert(entity::ADMINISTRATOR.to_owned(), administers.into()));
            assert!(before.is_some(), "the account is there");
        });
    }

    pub(crate) async fn plan(&self) -> anyhow::Result<Uuid> {
        let scope = PlanScope::default();
        let new = NewPlan { target: self.target, scope: &scope, guards: &Guards::default(), by: "ann" };
        Ok(self.store.make_plan(self.tenant, &new).await?)
    }

    /// Two people release a plan, and it is applied.
    pub(crate) async fn release(&self, plan: Uuid) -> anyhow::Result<()> {
        self.store.request_release(self.tenant, plan, &Decider::new("ann"), "It is meant.").await?;
        self.store.release_plan(self.tenant, plan, &Decider::new("bob")).await?;
        self.store.apply_plan(self.tenant, plan, &Wave::All, "ann").await?;
        self.settle().await
    }

    /// The managers of these people at the target, by name.
    pub(crate) async fn managers(&self, names: &[&str]) -> anyhow::Result<Vec<String>> {
        let picture = self.picture().await?;
        let seen = names.iter().filter_map(|name| picture.people.get(*name)?.first());
        Ok(seen.map(|seen| seen.manager.clone()).collect())
    }

    fn is_at_the_target(&self, name: &str) -> bool {
        self.fake.holdings(|held| held.accounts.values().any(|account| account[entity::NAME] == name))
    }
}

#[tokio::test]
async fn an_administrator_is_held_although_nobody_has_scanned_the_target() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (ann, bob) = (world.person("ann", json!({})).await?, world.person("bob", json!({})).await?);
    world.settle().await?;
    world.administers("ann", true);
    for id in [ann, bob] {
        world.set(id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!(world.standing("bob").await?.state, "gone", "others go as ever");
    let held = world.standing("ann").await?;
    assert_eq!(held.state, "held");
    let reason = held.reason.unwrap_or_default();
    assert!(reason.contains("two people") && reason.contains("administers the organisation"), "{reason}");
    assert!(world.is_at_the_target("ann"));

    let plan = world.plan().await?;
    let applied = world.store.apply_plan(world.tenant, plan, &Wave::All, "ann").await?;
    assert_eq!((applied.permitted, applied.withheld), (0, 1), "one person is not enough");
    world.release(plan).await?;
    assert!(!world.is_at_the_target("ann"));
    assert_eq!(world.standing("ann").await?.state, "gone");
    Ok(())
}

#[tokio::test]
async fn who_is_no_administrator_any_more_goes_when_it_is_tried_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    world.settle().await?;
    world.administers("ann", true);
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held");
    world.administers("ann", false);
    world.set(ann, json!({ "title": "Clerk" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "gone");
    Ok(())
}

#[tokio::test]
async fn a_removal_at_once_by_one_person_does_not_reach_an_administrator() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    world.settle().await?;
    world.administers("ann", true);
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.store.remove_at_once(world.tenant, ann, "ann", "Dismissed.").await?, 1);
    world.settle().await?;
    assert_eq!((world.standing("ann").await?.state.as_str(), world.is_at_the_target("ann")), ("held", true));
    Ok(())
}

#[tokio::test]
async fn who_became_an_administrator_since_the_plan_was_made_is_not_in_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    world.settle().await?;
    world.mode(TargetMode::Rehearsal).await?;
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    let plan = world.plan().await?;
    world.administers("ann", true);
    let applied = world.store.apply_plan(world.tenant, plan, &Wave::All, "ann").await?;
    assert_eq!((applied.permitted, applied.withheld), (1, 0));
    world.settle().await?;
    assert_eq!((world.standing("ann").await?.state.as_str(), world.is_at_the_target("ann")), ("held", true));
    let plan = world.plan().await?;
    world.release(plan).await?;
    assert!(!world.is_at_the_target("ann"));
    Ok(())
}

#[tokio::test]
async fn an_account_that_cannot_be_seen_yet_is_removed_all_the_same() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    world.settle().await?;
    world.fake.holdings(|held| held.hidden_reads = 1);
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!((world.standing("ann").await?.state.as_str(), world.is_at_the_target("ann")), ("gone", false));
    Ok(())
}

#[tokio::test]
async fn a_manager_of_many_is_held_until_somebody_else_manages_them() -> anyhow::Result<()> {
    let world = World::new().await?;
    let boss = world.person("boss", json!({})).await?;
    let heir = world.person("heir", json!({})).await?;
    let mut reports = Vec::new();
    for index in 0..4 {
        reports.push(world.person(&format!("p{index}"), json!({ "manager": boss.to_string() })).await?);
    }
    let limits = json!({ "managers.lost": { "floor": 2, "share": 0.0 } });
    world.limit(&Guards::parse(&limits)?).await?;
    world.settle().await?;
    // One of the four leaves as well, so that three are left who would have no manager.
    world.set(reports[3], json!({ "active": false })).await?;
    world.set(boss, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("p3").await?.state, "gone");
    let held = world.standing("boss").await?;
    assert_eq!(held.state, "held");
    let reason = held.reason.unwrap_or_default();
    assert!(reason.contains("managers.lost: 3 people report to somebody who leaves, more than 2"), "{reason}");
    assert_eq!(world.managers(&["p0", "p1", "p2"]).await?, ["boss"; 3], "nobody loses a manager who is held");
    let plan = world.plan().await?;
    let shown = world.store.plan(world.tenant, plan).await?.context("no plan")?;
    assert_eq!((shown.state.as_str(), shown.guarded), ("guarded", 1), "{}", shown.summary);

    assert_eq!(world.store.reconsider_trips().await?, 0, "nothing has changed");
    world.set(reports[0], json!({ "manager": heir.to_string() })).await?;
    assert_eq!(world.store.reconsider_trips().await?, 1);
    world.settle().await?;
    assert_eq!(world.standing("boss").await?.state, "gone");
    assert_eq!(world.managers(&["p0", "p1", "p2"]).await?, ["heir", "", ""]);
    Ok(())
}

#[tokio::test]
async fn a_manager_of_many_whom_two_people_release_goes_and_nothing_is_left_open() -> anyhow::Result<()> {
    let world = World::new().await?;
    let boss = world.person("boss", json!({})).await?;
    for name in ["p0", "p1", "p2"] {
        world.person(name, json!({ "manager": boss.to_string() })).await?;
    }
    let limits = json!({ "managers.lost": { "floor": 2, "share": 0.0 } });
    world.limit(&Guards::parse(&limits)?).await?;
    world.settle().await?;
    world.set(boss, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("boss").await?.state, "held");
    assert_eq!(world.managers(&["p0", "p1", "p2"]).await?, ["boss"; 3]);
    let scope = PlanScope::default();
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::parse(&limits)?, by: "ann" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    world.release(plan).await?;
    assert_eq!(world.standing("boss").await?.state, "gone");
    assert_eq!(world.managers(&["p0", "p1", "p2"]).await?, [""; 3]);
    assert_eq!(
        world.store.reconsider_trips().await?,
        1,
        "nobody is held by it, whatever the directory says of managers"
    );
    let trips = world.store.trips(world.tenant, Some(world.target)).await?;
    assert!(trips.iter().all(|trip| trip.closed_at.is_some()), "{trips:?}");
    Ok(())
}

#[tokio::test]
async fn managers_who_are_named_by_number_count_as_well() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.manager_by = ManagerBy::EmployeeNumber;
    let boss = world.person("boss", json!({ "employeeNumber": "7" })).await?;
    for index in 0..3 {
        world.person(&format!("p{index}"), json!({ "manager": "7" })).await?;
    }
    let limits = json!({ "managers.lost": { "floor": 2, "share": 0.0 } });
    world.limit(&Guards::parse(&limits)?).await?;
    world.settle().await?;
    world.set(boss, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("boss").await?.state, "held");
    Ok(())
}
