//! Groups and their members.

use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_scim::filter::Filter;
use rollcall_scim::patch::{Detached, DetachedChange};
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::builtin;
use rollcall_store::groups::{GroupUpdate, GroupView, Member, StoredGroup};
use rollcall_store::write::{UpdateError, Updated};
use rollcall_store::{StoreError, Uniqueness};
use serde_json::{Value, json};

use crate::fixture::{Fixture, Never, resource, together};

fn elements(values: &[&str]) -> Vec<Value> {
    values.iter().map(|value| json!({ "value": value })).collect()
}

/// The inner filter of `members[…]`, as a PATCH path holds it.
fn members_where(text: &str) -> anyhow::Result<Detached> {
    let filter = Filter::parse(&format!("members[{text}]"), &builtin::group_type(), &Profile::generic())?;
    match filter {
        Filter::ValuePath { filter, .. } => Ok(Detached::RemoveWhere(*filter)),
        other => anyhow::bail!("{other:?}"),
    }
}

fn told(end: &Updated<StoredGroup>) -> (i64, i64, bool) {
    (end.before_version, end.value.version, end.changed)
}

#[tokio::test]
async fn members_are_shown_as_what_they_are_now() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?;
    let bob = f.user(json!({ "userName": "bob", "displayName": "Bob B." })).await?;
    let inner = f.group("Inner", &[]).await?;
    assert_eq!(inner.members, Some(Vec::new()));
    let (a, b, i) = (ada.id.to_string(), bob.id.to_string(), inner.id.to_string());
    let outer = f.group("Outer", &[&a, &b, &i, &a, "ghost"]).await?;
    let member = |value: &str, kind, display: Option<&str>| Member {
        value: value.to_owned(),
        kind,
        display: display.map(str::to_owned),
    };
    let mut expected = vec![
        member(&a, Some(ResourceKind::User), Some("ada")),
        member(&b, Some(ResourceKind::User), Some("Bob B.")),
        member(&i, Some(ResourceKind::Group), Some("Inner")),
        member("ghost", None, None),
    ];
    expected.sort_by(|one, two| one.value.cmp(&two.value));
    assert_eq!(outer.members, Some(expected), "twice is once, and unknown members are kept");
    let unknown = f.store.unknown_members(f.tenant, &[b.clone(), "x".to_owned(), i.clone(), "a".to_owned()]).await?;
    assert_eq!(unknown, ["x", "a"]);

    f.set(ada.id, json!({ "displayName": "Ada L." })).await?;
    let seen = f.store.group(f.tenant, outer.id, GroupView { members: true, source: None }).await?;
    let names: Vec<Option<String>> =
        seen.into_iter().flat_map(|group| group.members.unwrap_or_default()).map(|member| member.display).collect();
    assert!(names.contains(&Some("Ada L.".to_owned())), "{names:?}");
    Ok(())
}

#[tokio::test]
async fn of_many_who_want_a_display_name_one_gets_it() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let creating = (0..10).map(|number| {
        let name = if number % 2 == 0 { "Sales" } else { "SALES" };
        let (store, actor) = (f.store.clone(), f.actor("race"));
        async move { store.create_group(&actor, resource(json!({ "displayName": name })), &[]).await }
    });
    let ends = together(creating).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1);
    let taken = |end: &&Result<_, _>| matches!(end, Err(StoreError::Conflict(Uniqueness::GroupDisplayName)));
    assert_eq!(ends.iter().filter(taken).count(), 9);
    Ok(())
}

#[tokio::test]
async fn only_what_changes_members_is_a_change() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let id = f.group("Sales", &["a", "b"]).await?.id;
    let add = |values: &[&str]| vec![Detached::Add(elements(values))];
    let remove = |values: &[&str]| vec![Detached::RemoveValues(elements(values))];
    assert_eq!(told(&f.members(id, add(&["a"])).await?), (1, 1, false), "there already");
    assert_eq!(told(&f.members(id, remove(&["x"])).await?), (1, 1, false), "never there");
    assert_eq!(told(&f.members(id, add(&["a", "c"])).await?), (1, 2, true));
    assert_eq!(told(&f.members(id, remove(&["a", "x"])).await?), (2, 3, true));
    assert_eq!(f.member_values(id).await?, ["b", "c"]);
    assert_eq!(told(&f.members(id, vec![Detached::Replace(elements(&["c", "b"]))]).await?), (3, 3, false));
    assert_eq!(told(&f.members(id, vec![Detached::Replace(elements(&["c", "d"]))]).await?), (3, 4, true));
    assert_eq!(f.member_values(id).await?, ["c", "d"]);
    assert_eq!(told(&f.members(id, vec![Detached::RemoveAll]).await?), (4, 5, true));
    assert_eq!(told(&f.members(id, vec![Detached::RemoveAll]).await?), (5, 5, false));
    assert_eq!(told(&f.members(id, Vec::new()).await?), (5, 5, false));
    assert!(f.member_values(id).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn changes_of_one_request_follow_each_other() -> anyhow::Result<()> {
    let cases: [(&str, Vec<Detached>, &[&str]); 12] = [
        (
            "add then remove",
            vec![Detached::Add(elements(&["x"])), Detached::RemoveValues(elements(&["x"]))],
            &["a", "b"],
        ),
        (
            "remove then add",
            vec![Detached::RemoveValues(elements(&["a"])), Detached::Add(elements(&["a"]))],
            &["a", "b"],
        ),
        ("clear then add", vec![Detached::RemoveAll, Detached::Add(elements(&["b", "x"]))], &["b", "x"]),
        (
            "replace then remove",
            vec![Detached::Replace(elements(&["x", "y"])), Detached::RemoveValues(elements(&["x"]))],
            &["y"],
        ),
        ("remove by value", vec![members_where(r#"value eq "a""#)?], &["b"]),
        ("remove by values", vec![members_where(r#"value eq "a" or value eq "b""#)?], &[]),
        (
            "remove by a part of the value",
            vec![Detached::Add(elements(&["ax"])), members_where(r#"value sw "a""#)?],
            &["b"],
        ),
        ("remove who is more than a value", vec![members_where(r#"value eq "a" and not (type pr)"#)?], &["b"]),
        ("remove who is not that", vec![members_where(r#"value eq "a" and type eq "User""#)?], &["a", "b"]),
        (
            "remove who came just now",
            vec![
                Detached::Add(elements(&["x"])),
                members_where(r#"not (type pr) and (value eq "x" or value eq "y")"#)?,
            ],
            &["a", "b"],
        ),
        (
            "remove who went just now",
            vec![Detached::RemoveAll, members_where(r#"value eq "a" and value pr"#)?, Detached::Add(elements(&["a"]))],
            &["a"],
        ),
        ("remove what was cleared", vec![Detached::Replace(elements(&["x"])), members_where(r#"value sw "x""#)?], &[]),
    ];
    let f = Fixture::new().await?;
    for (name, changes, expected) in cases {
        let id = f.group(name, &["a", "b"]).await?.id;
        f.members(id, changes).await?;
        assert_eq!(f.member_values(id).await?, expected, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn members_are_removed_by_what_they_are() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.user(json!({ "userName": "ada", "displayName": "Ada" })).await?;
    let inner = f.group("Inner", &[]).await?;
    let (a, i) = (ada.id.to_string(), inner.id.to_string());
    let id = f.group("Outer", &[&a, &i, "ghost"]).await?.id;
    f.members(id, vec![members_where(r#"type eq "Group""#)?]).await?;
    assert_eq!(f.member_values(id).await?, [a.clone(), "ghost".to_owned()]);
    f.members(id, vec![members_where(r#"not (display co "ad")"#)?]).await?;
    assert_eq!(f.member_values(id).await?, [a]);
    Ok(())
}

#[tokio::test]
async fn attributes_and_members_change_together() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let group = f.group("Sales", &["a"]).await?;
    let how = GroupUpdate { view: GroupView { members: true, source: None }, pinned: true, ..GroupUpdate::default() };
    let rename = |_: &StoredGroup| {
        let add = DetachedChange { attribute: "members".to_owned(), change: Detached::Add(elements(&["b"])) };
        Ok::<_, Never>((resource(json!({ "displayName": "Sales EU", "externalId": "e" })), vec![add]))
    };
    let end = f.store.update_group(&f.actor("x"), group.id, how, rename).await?;
    assert_eq!(told(&end), (1, 2, true));
    let seen = f.store.group(f.tenant, group.id, GroupView { members: true, source: None }).await?;
    assert_eq!(seen, Some(end.value), "what was answered is what is stored");
    f.group("Sales", &[]).await?;
    let end = f
        .store
        .update_group(&f.actor("x"), group.id, how, |_| {
            Ok::<_, Never>((resource(json!({ "displayName": "SALES" })), Vec::new()))
        })
        .await;
    assert!(matches!(end, Err(UpdateError::Store(StoreError::Conflict(Uniqueness::GroupDisplayName)))), "{end:?}");
    Ok(())
}

fn change_members(
    f: &Fixture,
    id: ResourceId,
    pinned: bool,
    change: Detached,
) -> impl Future<Output = Result<Updated<StoredGroup>, UpdateError<Never>>> + Send + use<> {
    let (store, actor) = (f.store.clone(), f.actor("race"));
    let change = DetachedChange { attribute: "members".to_owned(), change };
    async move {
        let how = GroupUpdate { pinned, ..GroupUpdate::default() };
        store.update_group(&actor, id, how, |group| Ok((group.resource.clone(), vec![change.clone()]))).await
    }
}

#[tokio::test]
async fn fifty_additions_at_the_same_time_are_all_kept() -> anyhow::Result<()> {
    for pinned in [false, true] {
        let f = Fixture::new().await?;
        let id = f.group("Sales", &[]).await?.id;
        let names: Vec<String> = (10..60).map(|number| format!("m{number}")).collect();
        let adding = names.iter().map(|name| change_members(&f, id, pinned, Detached::Add(elements(&[name]))));
        for end in together(adding).await {
            assert!(end?.changed);
        }
        assert_eq!(f.member_values(id).await?, names);
        let group = f.store.group(f.tenant, id, GroupView::default()).await?;
        assert_eq!(group.map(|group| group.version), Some(51), "each addition has a version of its own");
    }
    Ok(())
}

#[tokio::test]
async fn additions_and_removals_at_the_same_time_all_happen() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let old: Vec<String> = (0..25).map(|number| format!("old{number}")).collect();
    let id = f.group("Sales", &old.iter().map(String::as_str).collect::<Vec<_>>()).await?.id;
    let changes = (0..25).flat_map(|number| {
        [
            Detached::RemoveValues(elements(&[&format!("old{number}")])),
            Detached::Add(elements(&[&format!("new{number}")])),
        ]
    });
    let changing: Vec<_> = changes.map(|change| change_members(&f, id, false, change)).collect();
    for end in together(changing).await {
        assert!(end?.changed);
    }
    let mut expected: Vec<String> = (0..25).map(|number| format!("new{number}")).collect();
    expected.sort();
    assert_eq!(f.member_values(id).await?, expected);
    Ok(())
}

#[tokio::test]
async fn replacing_at_the_same_time_leaves_what_one_of_them_wanted() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let id = f.group("Sales", &["a", "b", "c"]).await?.id;
    let replacing = (0..12).map(|number| {
        let wanted: Vec<String> = (0..5).map(|member| format!("r{number}-{member}")).collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        change_members(&f, id, false, Detached::Replace(elements(&wanted)))
    });
    let ends = together(replacing).await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
    let left = f.member_values(id).await?;
    assert_eq!(left.len(), 5, "{left:?}");
    let first = left[0].split('-').next().unwrap_or_default();
    assert!(left.iter().all(|member| member.split('-').next() == Some(first)), "{left:?}");
    Ok(())
}

#[tokio::test]
async fn who_is_added_is_a_member_also_when_they_are_removed_meanwhile() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let id = f.group("Team", &["x"]).await?.id;
    let mut other = f.database.pool().begin().await?;
    sqlx::query("UPDATE groups SET version = version + 1 WHERE id = $1").bind(id.0).execute(&mut *other).await?;
    sqlx::query("DELETE FROM memberships WHERE group_id = $1").bind(id.0).execute(&mut *other).await?;
    let adding = f.members(id, vec![Detached::Add(elements(&["x", "y"]))]);
    let removing = async {
        f.database.until_somebody_waits().await?;
        anyhow::Ok(other.commit().await?)
    };
    let (added, removed) = tokio::join!(adding, removing);
    removed?;
    assert!(added?.changed);
    assert_eq!(f.member_values(id).await?, ["x", "y"], "both were asked for, and both are there");
    Ok(())
}

#[tokio::test]
async fn a_large_group_is_changed_without_being_read() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let id = f.group("Everybody", &[]).await?.id;
    sqlx::query(
        "INSERT INTO memberships (tenant_id, group_id, member_id) SELECT $1, $2, 'm' || n FROM generate_series(1, 20000) n",
    )
    .bind(f.tenant.0)
    .bind(id.0)
    .execute(f.database.pool())
    .await?;
    let end = f.members(id, vec![Detached::Add(elements(&["new"])), Detached::RemoveValues(elements(&["m1"]))]).await?;
    assert!(end.changed);
    assert_eq!(end.value.members, None, "not even for the answer");
    let all: Vec<String> = (2..=20_000).map(|number| format!("m{number}")).chain(["last".to_owned()]).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    f.members(id, vec![Detached::Replace(elements(&all))]).await?;
    let left = f.member_values(id).await?;
    assert_eq!(left.len(), 20_000);
    assert!(left.contains(&"last".to_owned()) && !left.contains(&"new".to_owned()));

    let by_value = (2..=1_000).map(|number| members_where(&format!(r#"value eq "m{number}" and value pr"#)));
    f.members(id, by_value.collect::<Result<_, _>>()?).await?;
    assert_eq!(f.member_values(id).await?.len(), 19_001, "whoever is named is found without looking at everybody");
    let sweeps = (0..200).map(|number| members_where(&format!(r#"value sw "nobody{number}""#)));
    let end = f.members(id, sweeps.collect::<Result<_, _>>()?).await;
    assert!(matches!(end, Err(UpdateError::Store(StoreError::TooMany { .. }))), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn a_deleted_group_is_gone_with_its_memberships() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let inner = f.group("Inner", &["a", "b"]).await?;
    let outer = f.group("Outer", &[&inner.id.to_string(), "c"]).await?;
    let end = f.store.delete_group(&f.actor("x"), inner.id, Err::<(), i64>).await;
    assert!(matches!(end, Err(UpdateError::Refused(1))));
    f.store.delete_group(&f.actor("x"), inner.id, |_| Ok::<(), Never>(())).await?;
    let end = f.store.delete_group(&f.actor("x"), inner.id, |_| Ok::<(), Never>(())).await;
    assert!(matches!(end, Err(UpdateError::NotFound)));
    assert!(f.store.group(f.tenant, inner.id, GroupView::default()).await?.is_none());
    assert_eq!(f.member_values(outer.id).await?, ["c"]);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM memberships").fetch_one(f.database.pool()).await?;
    assert_eq!(rows, 1);
    f.group("INNER", &[]).await?;
    Ok(())
}
