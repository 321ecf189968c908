//! The database's answer to a filter is the answer of the filter itself, on random data and random filters.

use std::time::Duration;

use anyhow::Context;
use rollcall_scim::filter::Filter;
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::builtin;
use rollcall_scim::sort::Sort;
use rollcall_store::StoreError;
use rollcall_store::groups::{GroupQuery, GroupView, StoredGroup};
use rollcall_store::listing::{Matching, SCAN_LIMIT};
use rollcall_store::users::{StoredUser, UserQuery, UserView};
use rollcall_store::walk::UserWalk;
use rollcall_store::write::Actor;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::dice::{Dice, random_filter, text_leaf, words};
use crate::fixture::{ENTERPRISE, Fixture, Never, START, resource, with};
use crate::shown::{shown_group, shown_user};

/// The time between two users; long enough for filters to fall between.
pub(crate) const STEP: Duration = Duration::from_millis(1_500);

/// A user with some attributes; `ids` are of users who are there already.
pub(crate) fn random_user(dice: &mut Dice, words: &[String], ids: &[String], number: usize) -> Value {
    let mut word = |sides: usize| (dice.roll(sides) == 0).then(|| dice.word(words).to_owned());
    let mut user = Map::new();
    let name = word(2).filter(|word| word.len() < 900).unwrap_or_default();
    user.insert("userName".to_owned(), format!("{name}{number}").into());
    for attribute in ["displayName", "externalId", "title"] {
        user.extend(word(2).map(|value| (attribute.to_owned(), value.into())));
    }
    let kind = |value: &str| if value.len().is_multiple_of(2) { "work" } else { "home" };
    let emails: Vec<Value> =
        (0..3).filter_map(|_| word(2)).map(|value| json!({ "value": value, "type": kind(&value) })).collect();
    user.extend((!emails.is_empty()).then(|| ("emails".to_owned(), emails.into())));
    let mut enterprise = Map::new();
    enterprise.extend(word(2).map(|value| ("employeeNumber".to_owned(), value.into())));
    if !ids.is_empty() && dice.roll(2) == 0 {
        enterprise.insert("manager".to_owned(), json!({ "value": dice.word(ids) }));
    }
    user.extend((!enterprise.is_empty()).then(|| (ENTERPRISE.to_owned(), enterprise.into())));
    user.insert("active".to_owned(), (dice.roll(3) != 0).into());
    user.into()
}

/// A comparison that real or odd clients could send.
pub(crate) fn user_leaf(dice: &mut Dice, words: &[String], ids: &[String]) -> String {
    let manager = format!("{ENTERPRISE}:manager.value");
    let number = format!("{ENTERPRISE}:employeeNumber");
    match dice.roll(10) {
        0..=4 => {
            let paths = ["userName", "displayName", "externalId", "title", "emails.value", "emails", &number];
            text_leaf(dice, &paths, words)
        }
        5 => text_leaf(dice, &["id", &manager, "groups.value", "groups"], ids),
        6 => {
            let inner = text_leaf(dice, &["value", "type", "display"], words);
            let join = dice.pick(&[" and ", " or "]);
            let other = text_leaf(dice, &["value", "type"], &["work".to_owned(), "ada".to_owned()]);
            if dice.roll(2) == 0 { format!("emails[{inner}]") } else { format!("emails[{inner}{join}{other}]") }
        }
        7 => format!("active {} {}", dice.pick(&["eq", "ne"]), dice.pick(&["true", "false"])),
        8 => {
            let op = dice.pick(&["gt", "ge", "lt", "le", "eq"]);
            let moment = START + STEP * u32::try_from(dice.roll(90)).unwrap_or_default();
            let moment = moment.format(&Rfc3339).unwrap_or_default();
            format!("meta.{} {op} \"{moment}\"", dice.pick(&["created", "lastModified"]))
        }
        _ => format!("{} pr", dice.pick(&["active", "emails", "groups", "meta.created", "id", &manager])),
    }
}

#[tokio::test]
async fn users_are_found_as_the_filter_means() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut dice = Dice(20_260_301);
    let words = words();
    let mut ids: Vec<String> = Vec::new();
    for number in 0..60 {
        f.clock.advance(STEP);
        ids.push(f.user(random_user(&mut dice, &words, &ids, number)).await?.id.to_string());
    }
    for number in 0..4 {
        let members: Vec<&str> = (0..9).map(|_| dice.word(&ids)).collect();
        ids.push(f.group(&format!("g{number}"), &members).await?.id.to_string());
    }
    let rt = builtin::user_type();
    let view = UserView { groups: true, projection: false, source: None };
    let everybody = UserQuery { matching: None, start_index: 1, count: 1_000, view };
    let everybody = f.store.list_users(f.tenant, &everybody).await?.items;
    ids.extend(["nobody".to_owned(), ids[0].to_uppercase()]);

    let mut found = 0;
    for round in 0..400 {
        let text = random_filter(&mut dice, &mut |dice| user_leaf(dice, &words, &ids));
        let filter = Filter::parse(&text, &rt, &Profile::generic())?;
        let judge = |user: &StoredUser| filter.matches(&rt, &shown_user(&rt, user));
        let expected: Vec<_> = everybody.iter().filter(|user| judge(user)).map(|user| user.id).collect();
        let matching = Some(Matching { filter: &filter, judge: &judge });
        let query = UserQuery { matching, start_index: 1, count: 1_000, view: UserView::default() };
        let listing = f.store.list_users(f.tenant, &query).await?;
        let actual: Vec<_> = listing.items.iter().map(|user| user.id).collect();
        assert_eq!(actual, expected, "round {round}: {text}");
        assert_eq!(usize::try_from(listing.total)?, expected.len(), "round {round}: {text}");
        found += expected.len();
    }
    assert!(found > 1_000, "filters that find nobody prove nothing: {found}");
    Ok(())
}

/// Every source has its own externalId, which a filter of that source is about.
#[tokio::test]
async fn each_source_finds_by_its_own_external_id() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let hr = f.store.create_source(f.tenant, "hr", &Profile::generic()).await?.id;
    let mut dice = Dice(731);
    let words = words();
    for number in 0..60 {
        let user = f.user(random_user(&mut dice, &words, &[], number)).await?;
        if dice.roll(2) == 0 {
            let actor = Actor { source: hr, ..f.actor("hr") };
            let view = UserView { source: Some(hr), ..UserView::default() };
            let own = json!({ "externalId": dice.word(&words) });
            let change = |user: &StoredUser| Ok::<_, Never>(with(&user.resource, &own));
            f.store.update_user(&actor, user.id, view, change).await?;
        }
    }
    let rt = builtin::user_type();
    let mut found = 0;
    for source in [f.source, hr] {
        let view = UserView { source: Some(source), ..UserView::default() };
        let everybody = UserQuery { matching: None, start_index: 1, count: 1_000, view };
        let everybody = f.store.list_users(f.tenant, &everybody).await?.items;
        for round in 0..200 {
            let text = random_filter(&mut dice, &mut |dice| text_leaf(dice, &["externalId"], &words));
            let filter = Filter::parse(&text, &rt, &Profile::generic())?;
            let judge = |user: &StoredUser| filter.matches(&rt, &shown_user(&rt, user));
            let expected: Vec<_> = everybody.iter().filter(|user| judge(user)).map(|user| user.id).collect();
            let matching = Some(Matching { filter: &filter, judge: &judge });
            let query = UserQuery { matching, start_index: 1, count: 1_000, view };
            let actual = f.store.list_users(f.tenant, &query).await?;
            let actual: Vec<_> = actual.items.iter().map(|user| user.id).collect();
            assert_eq!(actual, expected, "round {round}: {text}");
            found += expected.len();
        }
    }
    assert!(found > 1_000, "filters that find nobody prove nothing: {found}");
    Ok(())
}

fn group_leaf(dice: &mut Dice, words: &[String], ids: &[String]) -> String {
    let id = dice.word(ids);
    match dice.roll(9) {
        0 | 1 => text_leaf(dice, &["displayName", "externalId", "members.display"], words),
        2 => format!("members eq \"{id}\""),
        3 => format!("members[value eq \"{id}\"]"),
        4 => format!("members[value eq \"{id}\" or type eq \"Group\"]"),
        5 => format!("members[value eq \"{id}\" and type eq \"User\"]"),
        6 | 7 => text_leaf(dice, &["id", "members.value"], ids),
        _ => dice.pick(&["members pr", "externalId pr", r#"members.type eq "Group""#]).to_owned(),
    }
}

#[tokio::test]
async fn groups_are_found_as_the_filter_means() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut dice = Dice(42);
    let words: Vec<String> = words().into_iter().filter(|word| word.len() < 900).collect();
    let mut ids = vec!["ghost".to_owned()];
    for (number, word) in words.iter().enumerate() {
        ids.push(f.user(json!({ "userName": number.to_string(), "displayName": word })).await?.id.to_string());
    }
    for number in 0..30 {
        let members: Vec<String> = (0..dice.roll(5)).map(|_| dice.word(&ids).to_owned()).collect();
        let mut group = json!({ "displayName": format!("{}{number}", dice.word(&words)) });
        if dice.roll(2) == 0 {
            group["externalId"] = dice.word(&words).into();
        }
        ids.push(f.store.create_group(&f.actor("x"), resource(group), &members).await?.id.to_string());
    }
    // One who was deleted, and is named as a member by those who do not know.
    let gone = f.person("gone").await?.id;
    f.delete(gone).await?;
    f.group("haunted", &[&gone.to_string(), "ghost"]).await?;
    ids.push(gone.to_string());
    let rt = builtin::group_type();
    let everything =
        GroupQuery { matching: None, start_index: 1, count: 1_000, view: GroupView { members: true, source: None } };
    let everything = f.store.list_groups(f.tenant, &everything).await?.items;

    let mut found = 0;
    for round in 0..300 {
        let text = random_filter(&mut dice, &mut |dice| group_leaf(dice, &words, &ids));
        let filter = Filter::parse(&text, &rt, &Profile::generic())?;
        let judge = |group: &StoredGroup| filter.matches(&rt, &shown_group(&rt, group));
        let expected: Vec<_> = everything.iter().filter(|group| judge(group)).map(|group| group.id).collect();
        let matching = Some(Matching { filter: &filter, judge: &judge });
        let query = GroupQuery { matching, start_index: 1, count: 1_000, view: GroupView::default() };
        let listing = f.store.list_groups(f.tenant, &query).await?;
        let actual: Vec<_> = listing.items.iter().map(|group| group.id).collect();
        assert_eq!(actual, expected, "round {round}: {text}");
        assert_eq!(usize::try_from(listing.total)?, expected.len(), "round {round}: {text}");
        found += expected.len();
    }
    assert!(found > 500, "filters that find nothing prove nothing: {found}");
    Ok(())
}

#[tokio::test]
async fn the_membership_check_needs_no_members() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let ada = f.person("ada").await?.id;
    let group = f.group("Sales", &[&ada.to_string()]).await?.id;
    f.group("Other", &[&ada.to_string()]).await?;
    let rt = builtin::group_type();
    let cases = [
        (format!(r#"id eq "{group}" and members eq "{ada}""#), 1),
        (format!(r#"members[value eq "{ada}"] and id eq "{group}""#), 1),
        (format!(r#"id eq "{group}" and members.value eq "nobody""#), 0),
        (format!(r#"id eq "{ada}" and members eq "{ada}""#), 0),
        (format!(r#"members eq "{ada}""#), 2),
    ];
    for (text, total) in cases {
        let filter = Filter::parse(&text, &rt, &Profile::strict())?;
        // Whoever is asked to judge has been given the members to read.
        let judge = |_: &StoredGroup| panic!("{text} is decided by the database");
        let matching = Some(Matching { filter: &filter, judge: &judge });
        let query = GroupQuery { matching, start_index: 1, count: 10, view: GroupView::default() };
        assert_eq!(f.store.list_groups(f.tenant, &query).await?.total, total, "{text}");
    }
    Ok(())
}

fn first_one(matching: Option<Matching<'_, StoredUser>>) -> UserQuery<'_> {
    UserQuery { matching, start_index: 1, count: 1, view: UserView::default() }
}

#[tokio::test]
async fn too_many_candidates_are_refused_before_they_are_read() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    sqlx::query(
        "INSERT INTO users (tenant_id, id, source_id, user_name_key, active, email_keys, attributes, version, \
         created_at, modified_at) SELECT $1, gen_random_uuid(), $2, 'u' || n, true, '{}', \
         jsonb_build_object('userName', 'u' || n), 1, now(), now() FROM generate_series(1, $3) n",
    )
    .bind(f.tenant.0)
    .bind(f.source.0)
    .bind(SCAN_LIMIT + 1)
    .execute(f.database.pool())
    .await?;
    let rt = builtin::user_type();
    let judge = |_: &StoredUser| panic!("nobody is read");
    let list = async |text: &str| {
        let filter = Filter::parse(text, &rt, &Profile::strict())?;
        let listed = f.store.list_users(f.tenant, &first_one(Some(Matching { filter: &filter, judge: &judge }))).await;
        anyhow::Ok(listed.map(|listing| listing.total))
    };
    let sort = Sort::parse(&rt, &[], Some("userName"), None)?.context("an order")?;
    let sorted = async |matching| f.store.list_users_sorted(f.tenant, &first_one(matching), &sort).await;
    let few = Filter::parse(r#"userName eq "u77" or userName eq "u78""#, &rt, &Profile::strict())?;
    let few = Some(Matching { filter: &few, judge: &judge });
    let starts = Filter::parse(r#"userName sw "u7777""#, &rt, &Profile::strict())?;
    let starts = Some(Matching { filter: &starts, judge: &judge });
    let walk = UserWalk { matching: starts, from: None, backward: false, count: 1, view: UserView::default() };

    for text in
        [r#"title co "x""#, r#"userName sw "u7777""#, "active eq true", r#"meta.created gt "2020-01-01T00:00:00Z""#]
    {
        let refused = list(text).await?;
        assert!(matches!(refused, Err(StoreError::TooMany { limit: SCAN_LIMIT })), "{text}: {refused:?}");
    }
    let refused = sorted(None).await;
    assert!(matches!(refused, Err(StoreError::TooMany { limit: SCAN_LIMIT })), "{refused:?}");
    let refused = f.store.walk_users(f.tenant, &walk, None).await;
    assert!(matches!(refused, Err(StoreError::TooMany { limit: SCAN_LIMIT })), "{refused:?}");
    assert_eq!(list(r#"userName eq "U77""#).await??, 1, "what an index decides is decided at any size");
    assert_eq!(sorted(few).await?.total, 2);
    assert_eq!(f.store.list_users(f.tenant, &first_one(None)).await?.total, SCAN_LIMIT + 1, "everybody may be listed");

    sqlx::query("DELETE FROM users WHERE user_name_key = 'u1'").execute(f.database.pool()).await?;
    assert_eq!(list(r#"userName sw "u7777""#).await??, 11, "so many may be looked at");
    assert_eq!(sorted(None).await?.total, SCAN_LIMIT);
    assert_eq!(f.store.walk_users(f.tenant, &walk, None).await?.items.len(), 1);
    Ok(())
}
