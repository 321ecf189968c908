//! Links that a person has broken: the account is left as it is, whatever it looks like.

use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceKind;
use rollcall_store::adoption::Parting;
use rollcall_store::projection::{NewPlan, PlanScope, Wave};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_account_that_is_not_theirs_is_not_taken_for_theirs_because_it_has_their_number() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    world.settle().await?;
    let parting = Parting { kind: ResourceKind::User, resource: ann, reason: "a namesake's", by: "eve" };
    let userid = world.store.break_link(world.tenant, world.target, &parting).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held");
    let new = NewPlan { target: world.target, scope: &PlanScope::default(), guards: &Guards::default(), by: "eve" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    world.store.apply_plan(world.tenant, plan, &Wave::All, "eve").await?;
    world.settle().await?;
    let standing = world.standing("ann").await?;
    assert_eq!((standing.state.as_str(), standing.error_code.as_deref()), ("needs_attention", Some("60104")));
    assert!(standing.reason.as_ref().is_some_and(|reason| reason.contains(&userid)), "{standing:?}");
    assert_eq!(world.link(ann).await?.and_then(|link| link.remote_id), None);

    // With another number they get an account of their own, and the other one stays.
    world.set(ann, json!({ "mobile": "13899999999" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    assert_eq!(world.fake.holdings(|held| held.accounts.len()), 2);
    Ok(())
}
