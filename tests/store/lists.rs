//! Lists: order, pages, totals.

use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::filter::Filter;
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::builtin;
use rollcall_store::groups::{GroupQuery, GroupView};
use rollcall_store::listing::{Listing, Matching};
use rollcall_store::users::{StoredUser, UserQuery, UserView};
use serde_json::json;

use crate::fixture::{Fixture, Never};

const BARE: UserView = UserView { groups: false, projection: false, source: None };

fn names(listing: &Listing<StoredUser>) -> (i64, Vec<&str>) {
    (listing.total, listing.items.iter().filter_map(|user| user.resource.string("userName")).collect())
}

#[tokio::test]
async fn pages_follow_each_other_in_the_order_of_creation() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    for name in ["e", "d", "c", "b", "a"] {
        f.person(name).await?;
    }
    let c = f.store.list_users(f.tenant, &UserQuery { matching: None, start_index: 3, count: 1, view: BARE }).await?;
    assert_eq!(names(&c), (5, vec!["c"]));
    f.delete(c.items[0].id).await?;
    let cases: [(i64, i64, &[&str]); 6] =
        [(1, 2, &["e", "d"]), (3, 2, &["b", "a"]), (4, 10, &["a"]), (5, 10, &[]), (1, 0, &[]), (-3, 1, &["e"])];
    for (start_index, count, expected) in cases {
        let query = UserQuery { matching: None, start_index, count, view: BARE };
        let page = f.store.list_users(f.tenant, &query).await?;
        assert_eq!(names(&page), (4, expected.to_vec()), "from {start_index}, {count} at most");
    }
    let other = f.store.create_tenant("umbrella").await?.id;
    let page = f.store.list_users(other, &UserQuery { matching: None, start_index: 1, count: 9, view: BARE }).await?;
    assert_eq!(names(&page), (0, Vec::new()));
    Ok(())
}

#[tokio::test]
async fn pages_of_what_is_judged_here_are_the_same() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    // More than one batch.
    for number in 0..620 {
        let title = if number % 3 == 0 { "Fizz" } else { "No" };
        f.user(json!({ "userName": format!("u{number:03}"), "title": title })).await?;
    }
    let rt = builtin::user_type();
    let filter = Filter::parse(r#"title eq "fizz""#, &rt, &Profile::strict())?;
    let judge = |user: &StoredUser| filter.matches(&rt, &serde_json::Value::Object(user.resource.as_map().clone()));
    let page = async |start_index, count| {
        let matching = Some(Matching { filter: &filter, judge: &judge });
        f.store.list_users(f.tenant, &UserQuery { matching, start_index, count, view: BARE }).await
    };
    assert_eq!(names(&page(1, 2).await?), (207, vec!["u000", "u003"]));
    assert_eq!(names(&page(206, 5).await?), (207, vec!["u615", "u618"]));
    assert_eq!(names(&page(208, 5).await?), (207, Vec::new()));
    assert_eq!(names(&page(1, 0).await?), (207, Vec::new()));
    Ok(())
}

#[tokio::test]
async fn one_resource_is_found_without_counting() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.user(json!({ "userName": "Ada", "title": "Countess" })).await?;
    f.person("bob").await?;
    let rt = builtin::user_type();
    let cases = [
        (r#"userName eq "ADA""#, 1, 100, (1, vec!["Ada"])),
        (r#"userName eq "ADA""#, 2, 100, (1, vec![])),
        (r#"userName eq "ADA""#, 1, 0, (1, vec![])),
        (r#"userName eq "ada" and title sw "C""#, 1, 100, (1, vec!["Ada"])),
        (r#"userName eq "ada" and title sw "X""#, 1, 100, (0, vec![])),
        (r#"userName eq "nobody""#, 1, 100, (0, vec![])),
    ];
    for (text, start_index, count, expected) in cases {
        let filter = Filter::parse(text, &rt, &Profile::strict())?;
        let judge = |user: &StoredUser| filter.matches(&rt, &serde_json::Value::Object(user.resource.as_map().clone()));
        let matching = Some(Matching { filter: &filter, judge: &judge });
        let query = UserQuery { matching, start_index, count, view: BARE };
        let page = f.store.list_users(f.tenant, &query).await?;
        assert_eq!(names(&page), expected, "{text} from {start_index}, {count} at most");
    }
    Ok(())
}

#[tokio::test]
async fn views_are_loaded_for_lists_too() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    f.target("one").await?;
    let ada = f.person("ada").await?;
    let group = f.group("Sales", &[&ada.id.to_string()]).await?;
    let view = UserView { groups: true, projection: true, source: None };
    let users = f.store.list_users(f.tenant, &UserQuery { matching: None, start_index: 1, count: 9, view }).await?;
    assert_eq!(users.items, f.store.user(f.tenant, ada.id, view).await?.into_iter().collect::<Vec<_>>());
    assert_eq!(users.items[0].groups.len(), 1);
    assert!(users.items[0].projection.is_some());

    for members in [false, true] {
        let view = GroupView { members, source: None };
        let query = GroupQuery { matching: None, start_index: 1, count: 9, view };
        let groups = f.store.list_groups(f.tenant, &query).await?;
        assert_eq!(groups.items, f.store.group(f.tenant, group.id, view).await?.into_iter().collect::<Vec<_>>());
        assert_eq!(groups.items[0].members.is_some(), members);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_created_meanwhile_shifts_no_page() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut seen: Vec<ResourceId> = Vec::new();
    for name in ["a", "b", "c", "d"] {
        f.person(name).await?;
    }
    for start_index in [1, 3, 5] {
        let query = UserQuery { matching: None, start_index, count: 2, view: BARE };
        seen.extend(f.store.list_users(f.tenant, &query).await?.items.iter().map(|user| user.id));
        f.person(&format!("new{start_index}")).await?;
    }
    let mut distinct = seen.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((seen.len(), distinct), (6, seen));
    Ok(())
}

#[tokio::test]
async fn deleted_groups_are_not_listed() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let gone = f.group("Gone", &[]).await?;
    let stays = f.group("Stays", &[]).await?;
    f.store.delete_group(&f.actor("x"), gone.id, |_| Ok::<(), Never>(())).await?;
    let query = GroupQuery { matching: None, start_index: 1, count: 9, view: GroupView::default() };
    let groups = f.store.list_groups(f.tenant, &query).await?;
    assert_eq!((groups.total, groups.items.iter().map(|group| group.id).collect()), (1, vec![stays.id]));
    Ok(())
}
