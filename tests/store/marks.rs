//! What a write leaves behind for the reconciler.

use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::users::{Namesake, UserView};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fixture::{ENTERPRISE, Fixture, together};

#[derive(sqlx::FromRow, Debug, Clone, PartialEq)]
struct Delivery {
    target_id: Uuid,
    mark: i64,
    done_mark: i64,
    lane: i16,
    state: String,
    due_at: Option<OffsetDateTime>,
    dirty_since: Option<OffsetDateTime>,
    attempt: i32,
    waiting_for: Option<Uuid>,
    error_code: Option<String>,
    reason: Option<String>,
    request_id: Option<String>,
}

async fn deliveries(f: &Fixture, id: ResourceId) -> anyhow::Result<Vec<Delivery>> {
    Ok(sqlx::query_as("SELECT * FROM deliveries WHERE resource_kind = 'user' AND resource_id = $1 ORDER BY target_id")
        .bind(id.0)
        .fetch_all(f.database.pool())
        .await?)
}

async fn delivery(f: &Fixture, id: ResourceId) -> anyhow::Result<Delivery> {
    let mut all = deliveries(f, id).await?;
    anyhow::ensure!(all.len() == 1, "{} deliveries", all.len());
    Ok(all.remove(0))
}

async fn sql(f: &Fixture, statement: &'static str) -> anyhow::Result<()> {
    sqlx::query(statement).execute(f.database.pool()).await?;
    Ok(())
}

/// What the reconciler would have written after a good try.
const DONE: &str = "UPDATE deliveries SET done_mark = mark, state = 'in_step', due_at = NULL, dirty_since = NULL, \
                    applied_version = 1, lease_until = NULL";

#[tokio::test]
async fn a_new_user_is_dirty_for_every_target_of_the_tenant() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let unmarked = f.person("early").await?;
    assert_eq!(unmarked.projection, None);
    let (one, two) = (f.target("one").await?, f.target("two").await?);
    let ada = f
        .store
        .create_user(&f.actor("r-1"), crate::fixture::resource(json!({ "userName": "ada" })), Namesake::Ignored)
        .await?;
    let marked = deliveries(&f, ada.id).await?;
    assert_eq!(marked.iter().map(|delivery| delivery.target_id).collect::<Vec<_>>(), [one, two]);
    for delivery in marked {
        assert_eq!((delivery.mark, delivery.done_mark, delivery.lane), (1, 0, 2));
        assert_eq!((delivery.state.as_str(), delivery.request_id.as_deref()), ("pending", Some("r-1")));
        assert_eq!((delivery.due_at, delivery.dirty_since), (Some(ada.created_at), Some(ada.created_at)));
    }
    let seen = f.store.user(f.tenant, ada.id, UserView { groups: false, projection: true, source: None }).await?;
    assert_eq!(seen.and_then(|user| user.projection), ada.projection, "what was answered is what is read");
    Ok(())
}

#[tokio::test]
async fn changes_coalesce_into_one_row() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let ada = f.person("ada").await?;
    for title in ["a", "b", "c"] {
        f.clock.advance(std::time::Duration::from_secs(1));
        f.set(ada.id, json!({ "title": title })).await?;
    }
    f.set(ada.id, json!({ "title": "c" })).await?;
    let delivery = delivery(&f, ada.id).await?;
    assert_eq!(delivery.mark, 4, "one mark for each change that was one");
    assert_eq!(delivery.dirty_since, Some(ada.created_at), "dirty since the first");
    assert_eq!(delivery.due_at, Some(ada.created_at + time::Duration::seconds(3)));
    Ok(())
}

#[tokio::test]
async fn a_mark_wakes_whatever_was_set_aside() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let ada = f.person("ada").await?;
    sql(
        &f,
        "UPDATE deliveries SET done_mark = mark, state = 'needs_attention', due_at = NULL, dirty_since = NULL, \
         attempt = 7, waiting_for = tenant_id, error_class = 'invalid', error_code = '40022', reason = 'why'",
    )
    .await?;
    f.clock.advance(std::time::Duration::from_secs(5));
    let view = UserView { groups: false, projection: true, source: None };
    let title = |user: &rollcall_store::users::StoredUser| {
        let mut map = user.resource.as_map().clone();
        map.insert("title".to_owned(), "x".into());
        Ok::<_, crate::fixture::Never>(rollcall_scim::resource::Resource::from_map(map))
    };
    let updated = f.store.update_user(&f.actor("r-2"), ada.id, view, title).await?;
    let delivery = delivery(&f, ada.id).await?;
    assert_eq!((delivery.state.as_str(), delivery.attempt, delivery.waiting_for), ("pending", 0, None));
    assert_eq!((delivery.error_code, delivery.reason), (None, None));
    assert_eq!(delivery.dirty_since, Some(updated.value.modified_at), "it was clean before");
    assert_eq!(delivery.request_id.as_deref(), Some("r-2"));
    let shown = updated.value.projection.ok_or_else(|| anyhow::anyhow!("no projection"))?;
    assert_eq!((shown.state, shown.reason), (DeliveryState::Pending, None), "the answer knows of the mark");
    Ok(())
}

#[tokio::test]
async fn a_worker_keeps_what_it_is_at_until_its_lease_is_over() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let ada = f.person("ada").await?;
    sql(&f, "UPDATE deliveries SET state = 'applying', lease_until = now() + interval '1 hour'").await?;
    f.set(ada.id, json!({ "title": "x" })).await?;
    let held = delivery(&f, ada.id).await?;
    assert_eq!((held.state.as_str(), held.mark), ("applying", 2));
    sql(&f, "UPDATE deliveries SET lease_until = now() - interval '1 second'").await?;
    f.set(ada.id, json!({ "title": "y" })).await?;
    assert_eq!(delivery(&f, ada.id).await?.state, "pending");
    Ok(())
}

#[tokio::test]
async fn leavers_go_first_and_keep_their_place() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let ada = f.person("ada").await?;
    let lane = async || anyhow::Ok(delivery(&f, ada.id).await?.lane);
    f.set(ada.id, json!({ "active": false })).await?;
    assert_eq!(lane().await?, 0, "somebody who is suspended");
    f.set(ada.id, json!({ "active": true })).await?;
    assert_eq!(lane().await?, 0, "still dirty, so the better place stays");
    sql(&f, DONE).await?;
    f.set(ada.id, json!({ "title": "x" })).await?;
    assert_eq!(lane().await?, 2, "clean in between, so the place is given anew");
    f.delete(ada.id).await?;
    assert_eq!(lane().await?, 0, "somebody who is deleted");
    let born = f.user(json!({ "userName": "bob", "active": false })).await?;
    assert_eq!(delivery(&f, born.id).await?.lane, 0, "somebody who comes suspended");
    Ok(())
}

#[tokio::test]
async fn reports_are_marked_when_their_manager_comes_or_goes() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let boss = f.person("boss").await?;
    let manager = json!({ "manager": { "value": boss.id.to_string() } });
    let report = f.user(json!({ "userName": "report", "active": true, ENTERPRISE: manager })).await?;
    let stranger = f.person("stranger").await?;
    f.set(boss.id, json!({ ENTERPRISE: manager })).await?;
    let marks = async || anyhow::Ok((delivery(&f, report.id).await?.mark, delivery(&f, stranger.id).await?.mark));
    assert_eq!(marks().await?, (1, 1));
    f.set(boss.id, json!({ "title": "x" })).await?;
    assert_eq!(marks().await?, (1, 1), "nothing that a report shows has changed");
    f.set(boss.id, json!({ "active": false })).await?;
    assert_eq!(marks().await?, (2, 1));
    f.set(boss.id, json!({ "active": true })).await?;
    assert_eq!(marks().await?, (3, 1));
    f.delete(boss.id).await?;
    assert_eq!(marks().await?, (4, 1));
    assert_eq!(delivery(&f, report.id).await?.lane, 2, "the report does not leave");
    Ok(())
}

#[tokio::test]
async fn people_who_manage_each_other_can_leave_at_the_same_time() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let mut people = Vec::new();
    for number in 0..8 {
        people.push(f.person(&format!("p{number}")).await?.id);
    }
    for (number, person) in people.iter().enumerate() {
        let manager = people[(number + 1) % people.len()].to_string();
        f.set(*person, json!({ ENTERPRISE: { "manager": { "value": manager } } })).await?;
    }
    for active in [false, true, false, true] {
        let leaving = people.iter().map(|id| {
            let (store, actor, id) = (f.store.clone(), f.actor("race"), *id);
            async move {
                let set = |user: &rollcall_store::users::StoredUser| {
                    let mut map = user.resource.as_map().clone();
                    map.insert("active".to_owned(), active.into());
                    Ok::<_, crate::fixture::Never>(rollcall_scim::resource::Resource::from_map(map))
                };
                store.update_user(&actor, id, UserView::default(), set).await
            }
        });
        sql(&f, DONE).await?;
        for end in together(leaving).await {
            assert!(end?.changed);
        }
        for person in &people {
            let delivery = delivery(&f, *person).await?;
            assert!(delivery.mark > delivery.done_mark, "marked for itself and for its manager: {delivery:?}");
            assert!(active || delivery.lane == 0, "leavers go first: {delivery:?}");
        }
    }
    Ok(())
}
