//! What is usual is remembered day by day: what passed by itself, and what a rehearsal would have sent.

use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guards;
use rollcall_store::projection::{NewPlan, PlanScope, TargetMode, Wave};
use serde_json::json;
use std::time::Duration;

use crate::world::World;

impl World {
    /// What the whole days before this one say of an effect.
    async fn usual(&self, effect: &str) -> anyhow::Result<Vec<i64>> {
        let history = self.store.effect_history(self.tenant, self.target).await?;
        let days = history.map(|history| history.days).unwrap_or_default();
        Ok(days.into_iter().filter(|day| day.effect == effect).map(|day| day.size).collect())
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_usual_and_what_people_decide_is_not() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut people = Vec::new();
    for index in 0..10 {
        people.push(world.person(&format!("p{index}"), json!({ "title": "Clerk" })).await?);
    }
    world.settle().await?;
    world.clock.advance(Duration::from_hours(24));
    for id in &people[..2] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    // Six more are too many at once; two people release them.
    for id in &people[2..8] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    let scope = PlanScope::default();
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    world.store.request_release(world.tenant, plan, &Decider::new("ann"), "It is meant.").await?;
    world.store.release_plan(world.tenant, plan, &Decider::new("bob")).await?;
    world.store.apply_plan(world.tenant, plan, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(world.usual("people.remove").await?, Vec::<i64>::new(), "the day is not over");
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(world.usual("people.remove").await?, [2]);
    let history = world.store.effect_history(world.tenant, world.target).await?;
    assert_eq!(history.map(|history| history.number()), Some(1), "the day on which the target was made does not count");
    Ok(())
}

#[tokio::test]
async fn a_rehearsal_teaches_as_well_but_not_on_its_first_day() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.mode(TargetMode::Rehearsal).await?;
    let ann = world.person("ann", json!({ "title": "Clerk" })).await?;
    world.settle().await?;
    world.clock.advance(Duration::from_hours(24));
    for name in ["bob", "cat"] {
        world.person(name, json!({})).await?;
    }
    world.settle().await?;
    // Whoever changes again is not counted again.
    world.set(ann, json!({ "title": "Head" })).await?;
    world.set(world.id("bob").await?, json!({ "title": "Head" })).await?;
    world.settle().await?;
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(world.usual("people.create").await?, [2]);
    Ok(())
}
