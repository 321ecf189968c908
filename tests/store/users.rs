//! Users: created once, changed by many at the same time, deleted without a trace for clients.

use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_scim::resource::Resource;
use rollcall_store::changes::ChangeCursor;
use rollcall_store::groups::GroupView;
use rollcall_store::users::{Namesake, StoredUser, UserView};
use rollcall_store::write::UpdateError;
use rollcall_store::{StoreError, Uniqueness};
use serde_json::json;
use uuid::Uuid;

use crate::fixture::{ENTERPRISE, Fixture, Never, resource, together};

const ALL: UserView = UserView { groups: true, projection: true, source: None };

#[tokio::test]
async fn what_is_answered_is_what_is_stored() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.clock.advance(std::time::Duration::from_nanos(1_234_567_891));
    let created = f.user(json!({ "userName": "Ada", "active": true, "emails": [{ "value": "a@b.c" }] })).await?;
    assert_eq!(f.store.user(f.tenant, created.id, ALL).await?, Some(created.clone()));
    f.clock.advance(std::time::Duration::from_secs(1));
    let updated = f.set(created.id, json!({ "title": "Countess" })).await?;
    assert_eq!((updated.before_version, updated.changed), (1, true));
    assert_eq!(updated.value.version, 2);
    assert!(updated.value.modified_at > created.modified_at);
    assert_eq!(f.store.user(f.tenant, created.id, ALL).await?, Some(updated.value));
    Ok(())
}

#[tokio::test]
async fn nobody_sees_another_tenants_users() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    let other = f.store.create_tenant("umbrella").await?.id;
    assert!(f.store.user(other, ada.id, ALL).await?.is_none());
    assert!(f.store.user(TenantId(Uuid::nil()), ada.id, ALL).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn of_many_who_want_a_user_name_one_gets_it() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let creating = (0..16).map(|number| {
        let name = if number % 2 == 0 { "ada@acme.test" } else { "ADA@acme.TEST" };
        let (store, actor) = (f.store.clone(), f.actor("race"));
        async move { store.create_user(&actor, resource(json!({ "userName": name })), Namesake::Ignored).await }
    });
    let ends = together(creating).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    let conflicts = ends.iter().filter(|end| matches!(end, Err(StoreError::Conflict(Uniqueness::UserName)))).count();
    assert_eq!(conflicts, 15, "everybody else is told why");
    Ok(())
}

#[tokio::test]
async fn of_many_created_at_once_one_bad_one_stops_no_other() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.person("taken").await?;
    let gone = f.user(json!({ "userName": "gone", "externalId": "E-7", "active": false })).await?;
    let creating = (0..40).map(|number| {
        let user = match number {
            7 => json!({ "userName": "null", "title": "\0" }),
            17 => json!({ "userName": "TAKEN" }),
            27 => json!({ "userName": "back", "externalId": "E-7" }),
            _ => json!({ "userName": format!("p{number}"), "emails": [{ "value": format!("P{number}@acme.test") }] }),
        };
        let (store, actor) = (f.store.clone(), f.actor(&format!("request-{number}")));
        async move { (number, store.create_user(&actor, resource(user), Namesake::Respected).await) }
    });
    for (number, end) in together(creating).await {
        match number {
            7 => assert!(matches!(end, Err(StoreError::InvalidInput { .. })), "{end:?}"),
            17 => assert!(matches!(end, Err(StoreError::Conflict(Uniqueness::UserName))), "{end:?}"),
            27 => assert!(matches!(end, Err(StoreError::Namesake)), "{end:?}"),
            _ => {
                let made = end?;
                assert_eq!(made.resource.string("userName"), Some(format!("p{number}").as_str()));
                let entries = f.store.changes(f.tenant, ChangeCursor::After(0), 10, Some(made.id)).await?;
                let requests: Vec<_> = entries.iter().map(|entry| entry.request_id.as_str()).collect();
                assert_eq!(requests, [format!("request-{number}")], "each has its own entry");
                assert_eq!(f.store.user(f.tenant, made.id, ALL).await?, Some(made));
            }
        }
    }
    assert!(f.store.user(f.tenant, gone.id, ALL).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn a_name_cannot_be_changed_to_one_that_is_taken() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.person("ada").await?;
    let bob = f.person("bob").await?;
    let end = f.set(bob.id, json!({ "userName": "ADA" })).await;
    assert!(matches!(end, Err(UpdateError::Store(StoreError::Conflict(Uniqueness::UserName)))), "{end:?}");
    let renamed = f.set(bob.id, json!({ "userName": "BOB" })).await?;
    assert_eq!(renamed.value.resource.string("userName"), Some("BOB"), "one's own name in other case is free");
    Ok(())
}

#[tokio::test]
async fn fifty_changes_at_the_same_time_are_all_kept() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("dingtalk").await?;
    let ada = f.user(json!({ "userName": "ada", "roles": [] })).await?;
    let changing = (0..50).map(|number| {
        let (store, actor, id) = (f.store.clone(), f.actor("race"), ada.id);
        async move {
            let add = |user: &StoredUser| {
                let mut map = user.resource.as_map().clone();
                let mut roles = user.resource.values("roles").to_vec();
                roles.push(json!({ "value": number.to_string() }));
                map.insert("roles".to_owned(), roles.into());
                Ok::<_, Never>(Resource::from_map(map))
            };
            store.update_user(&actor, id, UserView::default(), add).await
        }
    });
    let ends = together(changing).await;
    let mut versions = Vec::new();
    for end in ends {
        let end = end?;
        assert_eq!(end.value.version, end.before_version + 1);
        versions.push(end.value.version);
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..52).collect::<Vec<i64>>(), "each change has a version of its own");
    let ada = f.store.user(f.tenant, ada.id, UserView::default()).await?;
    assert_eq!(ada.map(|user| user.resource.values("roles").len()), Some(50));
    Ok(())
}

#[tokio::test]
async fn a_change_to_the_same_is_no_change() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    f.clock.advance(std::time::Duration::from_secs(1));
    let end = f.set(ada.id, json!({ "userName": "ada" })).await?;
    assert_eq!((end.before_version, end.changed), (1, false));
    assert_eq!(end.value, ada);
    let entries: i64 = sqlx::query_scalar("SELECT count(*) FROM changes").fetch_one(f.database.pool()).await?;
    assert_eq!(entries, 1, "nothing was written");
    Ok(())
}

#[tokio::test]
async fn what_is_refused_is_not_written() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    let end = f
        .store
        .update_user(&f.actor("x"), ada.id, UserView::default(), |user| Err::<Resource, i64>(user.version))
        .await;
    assert!(matches!(end, Err(UpdateError::Refused(1))));
    let end = f.store.delete_user(&f.actor("x"), ada.id, Err::<(), i64>).await;
    assert!(matches!(end, Err(UpdateError::Refused(1))));
    assert_eq!(f.store.user(f.tenant, ada.id, UserView::default()).await?, Some(ada));
    Ok(())
}

#[tokio::test]
async fn a_null_character_is_told_as_bad_input() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let end = f.store.create_user(&f.actor("x"), resource(json!({ "userName": "a\0b" })), Namesake::Ignored).await;
    assert!(matches!(end, Err(StoreError::InvalidInput { .. })), "{end:?}");
    let end = f
        .store
        .create_user(&f.actor("x"), resource(json!({ "userName": "a", "title": "\0" })), Namesake::Ignored)
        .await;
    assert!(matches!(end, Err(StoreError::InvalidInput { .. })), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn the_deleted_are_gone_and_their_names_free() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    let group = f.group("Pioneers", &[&ada.id.to_string(), "nobody"]).await?;
    f.delete(ada.id).await?;

    assert!(f.store.user(f.tenant, ada.id, ALL).await?.is_none());
    assert!(matches!(f.delete(ada.id).await, Err(UpdateError::NotFound)));
    assert!(matches!(f.set(ada.id, json!({ "title": "x" })).await, Err(UpdateError::NotFound)));
    assert_eq!(f.member_values(group.id).await?, ["nobody"]);
    let seen = f.store.group(f.tenant, group.id, GroupView::default()).await?;
    assert_eq!(seen.map(|group| group.version), Some(1), "what a client wrote about the group is as it was");
    let again = f.person("Ada").await?;
    assert_ne!(again.id, ada.id);

    // Even if somebody names a deleted person as a member afterwards, nobody sees it.
    f.members(group.id, vec![rollcall_scim::patch::Detached::Add(vec![json!({ "value": ada.id.to_string() })])])
        .await?;
    assert_eq!(f.member_values(group.id).await?, ["nobody"]);
    Ok(())
}

#[tokio::test]
async fn nobody_is_led_by_the_deleted() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let target = f.target("dingtalk").await?;
    let boss = f.person("boss").await?;
    let (boss_id, manager) = (boss.id.to_string(), |id: &str| json!({ "value": id, "displayName": "B" }));
    let only = f.user(json!({ "userName": "only", ENTERPRISE: { "manager": manager(&boss_id) } })).await?;
    let more =
        f.user(json!({ "userName": "more", ENTERPRISE: { "department": "d", "manager": manager(&boss_id) } })).await?;
    let other = f.user(json!({ "userName": "other", ENTERPRISE: { "manager": manager("nobody") } })).await?;
    f.set(boss.id, json!({ ENTERPRISE: { "manager": manager(&boss_id) } })).await?;
    f.clock.advance(std::time::Duration::from_secs(1));
    f.delete(boss.id).await?;

    let seen = |id| f.store.user(f.tenant, id, UserView::default());
    let (only, more) = (seen(only.id).await?, seen(more.id).await?);
    let told = |user: &Option<StoredUser>| user.as_ref().map(|user| (user.version, user.modified_at > user.created_at));
    assert_eq!((told(&only), told(&more)), (Some((2, true)), Some((2, true))));
    assert_eq!(only.map(|user| user.resource), Some(resource(json!({ "userName": "only" }))), "no empty extension");
    let wanted = json!({ "userName": "more", ENTERPRISE: { "department": "d" } });
    assert_eq!(more.as_ref().map(|user| &user.resource), Some(&resource(wanted)));
    assert_eq!(f.store.user(f.tenant, other.id, ALL).await?, Some(other), "others are as they were");
    let details: Vec<serde_json::Value> = sqlx::query_scalar(
        "SELECT details FROM changes WHERE resource_id = $1 AND operation = 'update' AND version = 2",
    )
    .bind(more.map(|user| user.id.0))
    .fetch_all(f.database.pool())
    .await?;
    assert_eq!(details, [json!({ "attributes": [format!("{ENTERPRISE}:manager")] })]);
    let marks: Vec<i64> = sqlx::query_scalar(
        "SELECT d.mark FROM deliveries d JOIN users u ON u.id = d.resource_id \
         WHERE d.target_id = $1 ORDER BY u.user_name_key",
    )
    .bind(target)
    .fetch_all(f.database.pool())
    .await?;
    assert_eq!(marks, [3, 2, 2, 1], "boss, more, only, other");
    Ok(())
}

#[tokio::test]
async fn those_who_lead_each_other_can_be_deleted_at_once() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let (ada, bob) = (f.person("ada").await?, f.person("bob").await?);
    for (report, boss) in [(&ada, &bob), (&bob, &ada)] {
        f.set(report.id, json!({ ENTERPRISE: { "manager": { "value": boss.id.to_string() } } })).await?;
    }
    let deleting = [ada.id, bob.id].map(|id| {
        let (store, actor) = (f.store.clone(), f.actor("race"));
        async move { store.delete_user(&actor, id, |_| Ok::<(), Never>(())).await }
    });
    let ends = together(deleting).await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
    Ok(())
}

#[tokio::test]
async fn of_many_who_delete_one_does() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    let deleting = (0..10).map(|_| {
        let (store, actor, id) = (f.store.clone(), f.actor("race"), ada.id);
        async move { store.delete_user(&actor, id, |_| Ok::<(), Never>(())).await }
    });
    let ends = together(deleting).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    assert_eq!(ends.iter().filter(|end| matches!(end, Err(UpdateError::NotFound))).count(), 9);
    Ok(())
}

#[tokio::test]
async fn a_user_is_shown_with_groups() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    let id = ada.id.to_string();
    let first = f.group("First", &[&id]).await?;
    let second = f.group("Second", &[&id]).await?;
    let gone = f.group("Gone", &[&id]).await?;
    f.store.delete_group(&f.actor("x"), gone.id, |_| Ok::<(), Never>(())).await?;
    let seen = f.store.user(f.tenant, ada.id, UserView { groups: true, projection: false, source: None }).await?;
    let groups: Vec<(ResourceId, String)> =
        seen.into_iter().flat_map(|user| user.groups).map(|group| (group.id, group.display_name)).collect();
    assert_eq!(groups, [(first.id, "First".to_owned()), (second.id, "Second".to_owned())]);
    let bare = f.store.user(f.tenant, ada.id, UserView::default()).await?;
    assert_eq!(bare.map(|user| user.groups.len()), Some(0), "only when asked for");
    Ok(())
}
