//! The database's answer to a filter is the answer of the filter itself, on random data and random filters.

use std::fmt::Write as _;

use rollcall_provisioning::ids::ResourceKind;
use rollcall_scim::filter::Filter;
use rollcall_scim::profile::Profile;
use rollcall_scim::projection::Projection;
use rollcall_scim::render::{Envelope, render};
use rollcall_scim::schema::{ResourceType, builtin};
use rollcall_store::StoreError;
use rollcall_store::groups::{GroupQuery, GroupView, StoredGroup};
use rollcall_store::listing::{Matching, SCAN_LIMIT};
use rollcall_store::users::{StoredUser, UserQuery, UserView};
use serde_json::{Map, Value, json};

use crate::fixture::{ENTERPRISE, Fixture};

/// A small generator of its own, so that a failure comes back with its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }
}

/// Texts that differ where comparisons like to go wrong: case, folding, patterns, quotes, length.
fn words() -> Vec<String> {
    let mut words: Vec<String> = [
        "ada", "ADA", "Ada L.", "a%", "a_a", r"a\b", "a\"b", "it's", "straße", "STRASSE", "ΣΑΣ", "σας", "ﬁn", "fin", "İ", "i",
        "张伟", "a b", "x",
    ]
    .map(str::to_owned)
    .to_vec();
    for length in [990, 997, 1_000, 1_001, 1_500] {
        words.push("w".repeat(length));
        words.push(format!("{}é", "w".repeat(length)));
    }
    words
}

fn envelope_json(rt: &ResourceType, id: &str, resource: &rollcall_scim::resource::Resource, dates: [time::OffsetDateTime; 2], read_only: Map<String, Value>) -> Value {
    let location = format!("https://host/{id}");
    let envelope =
        Envelope { id, resource, version: 1, created: dates[0], modified: dates[1], location: &location, read_only };
    render(rt, &envelope, &Projection::standard(rt))
}

fn shown_user(rt: &ResourceType, user: &StoredUser) -> Value {
    let groups: Vec<Value> = user
        .groups
        .iter()
        .map(|group| json!({ "value": group.id.to_string(), "display": group.display_name, "type": "direct" }))
        .collect();
    let mut read_only = Map::new();
    if !groups.is_empty() {
        read_only.insert("groups".to_owned(), groups.into());
    }
    envelope_json(rt, &user.id.to_string(), &user.resource, [user.created_at, user.modified_at], read_only)
}

fn shown_group(rt: &ResourceType, group: &StoredGroup) -> Value {
    let members: Vec<Value> = group
        .members
        .iter()
        .flatten()
        .map(|member| {
            let mut element = json!({ "value": member.value });
            match member.kind {
                Some(ResourceKind::User) => element["type"] = "User".into(),
                Some(ResourceKind::Group) => element["type"] = "Group".into(),
                _ => {}
            }
            if let Some(display) = &member.display {
                element["display"] = display.as_str().into();
            }
            element
        })
        .collect();
    let mut read_only = Map::new();
    if !members.is_empty() {
        read_only.insert("members".to_owned(), members.into());
    }
    envelope_json(rt, &group.id.to_string(), &group.resource, [group.created_at, group.modified_at], read_only)
}

/// Writes a random filter over the given comparisons.
fn write_filter(text: &mut String, dice: &mut Dice, depth: usize, leaf: &mut dyn FnMut(&mut Dice) -> String) {
    match dice.roll(if depth == 0 { 1 } else { 5 }) {
        0 | 1 => text.push_str(&leaf(dice)),
        2 => {
            text.push_str("not (");
            write_filter(text, dice, depth - 1, leaf);
            text.push(')');
        }
        sides => {
            text.push('(');
            write_filter(text, dice, depth - 1, leaf);
            text.push_str(if sides == 3 { ") and (" } else { ") or (" });
            write_filter(text, dice, depth - 1, leaf);
            text.push(')');
        }
    }
}

fn text_leaf(dice: &mut Dice, paths: &[&str], values: &[String]) -> String {
    let path = dice.pick(paths);
    let op = dice.pick(&["eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"]);
    if op == "pr" {
        return format!("{path} pr");
    }
    let value = &values[dice.roll(values.len())];
    format!("{path} {op} {}", Value::from(value.as_str()))
}

#[tokio::test]
async fn users_are_found_as_the_filter_means() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut dice = Dice(20_260_301);
    let words = words();
    let mut ids: Vec<String> = Vec::new();
    for number in 0..60 {
        let mut word = |sides: usize| (dice.roll(sides) == 0).then(|| words[dice.roll(words.len())].clone());
        let short = |word: Option<String>| word.filter(|word| word.len() < 900);
        let mut user = json!({ "userName": format!("{}{number}", short(word(2)).unwrap_or_default()) });
        for attribute in ["displayName", "externalId", "title"] {
            if let Some(value) = word(2) {
                user[attribute] = value.into();
            }
        }
        let emails: Vec<Value> = (0..3)
            .filter_map(|_| word(2).map(|value| json!({ "value": value, "type": if value.len() % 2 == 0 { "work" } else { "home" } })))
            .collect();
        if !emails.is_empty() {
            user["emails"] = emails.into();
        }
        if let Some(value) = word(2) {
            user[ENTERPRISE] = json!({ "employeeNumber": value });
        }
        if !ids.is_empty() && dice.roll(2) == 0 {
            user[ENTERPRISE]["manager"] = json!({ "value": ids[dice.roll(ids.len())] });
        }
        match dice.roll(3) {
            0 => {}
            active => user["active"] = (active == 1).into(),
        }
        f.clock.advance(std::time::Duration::from_micros(1_500_000));
        ids.push(f.user(user).await?.id.to_string());
    }
    for number in 0..4 {
        let members: Vec<&str> = (0..9).map(|_| ids[dice.roll(ids.len())].as_str()).collect();
        ids.push(f.group(&format!("g{number}"), &members).await?.id.to_string());
    }

    let rt = builtin::user_type();
    let view = UserView { groups: true, projection: false };
    let everybody = UserQuery { matching: None, start_index: 1, count: 1_000, view };
    let everybody = f.store.list_users(f.tenant, &everybody).await?.items;
    let mut ids_and_more = ids.clone();
    ids_and_more.extend(["nobody".to_owned(), ids[0].to_uppercase()]);
    let manager = format!("{ENTERPRISE}:manager.value");
    let number = format!("{ENTERPRISE}:employeeNumber");
    let mut leaf = |dice: &mut Dice| match dice.roll(10) {
        0..=4 => text_leaf(dice, &["userName", "displayName", "externalId", "title", "emails.value", "emails", &number], &words),
        5 => text_leaf(dice, &["id", &manager, "groups.value", "groups"], &ids_and_more),
        6 => {
            let inner = text_leaf(dice, &["value", "type", "display"], &words);
            let join = dice.pick(&[" and ", " or "]);
            let other = text_leaf(dice, &["value", "type"], &["work".to_owned(), words[0].clone()]);
            if dice.roll(2) == 0 { format!("emails[{inner}]") } else { format!("emails[{inner}{join}{other}]") }
        }
        7 => format!("active {} {}", dice.pick(&["eq", "ne"]), dice.pick(&["true", "false"])),
        8 => {
            let op = dice.pick(&["gt", "ge", "lt", "le", "eq"]);
            let second = dice.roll(90);
            let at = time::macros::datetime!(2026-03-01 08:00 UTC) + time::Duration::milliseconds(second as i64 * 1_500);
            let at = at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
            format!("meta.{} {op} \"{at}\"", dice.pick(&["created", "lastModified"]))
        }
        _ => format!("{} pr", dice.pick(&["active", "emails", "groups", "meta.created", "id", manager.as_str()])),
    };
    let mut found = 0;
    for round in 0..400 {
        let mut text = String::new();
        write_filter(&mut text, &mut dice, 3, &mut leaf);
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

#[tokio::test]
async fn groups_are_found_as_the_filter_means() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let mut dice = Dice(42);
    let words: Vec<String> = words().into_iter().filter(|word| word.len() < 900).collect();
    let mut ids = vec!["ghost".to_owned()];
    for word in &words {
        let person = f.user(json!({ "userName": format!("u-{word}"), "displayName": word })).await;
        ids.extend(person.ok().map(|user| user.id.to_string()));
    }
    for number in 0..30 {
        let mut name = String::new();
        write!(name, "{}{number}", words[dice.roll(words.len())])?;
        let members: Vec<String> = (0..dice.roll(5)).map(|_| ids[dice.roll(ids.len())].clone()).collect();
        let mut group = json!({ "displayName": name });
        if dice.roll(2) == 0 {
            group["externalId"] = words[dice.roll(words.len())].as_str().into();
        }
        let resource = crate::fixture::resource(group);
        ids.push(f.store.create_group(&f.actor("x"), &resource, &members).await?.id.to_string());
    }
    // One who was deleted, and is named as a member by those who do not know.
    let gone = f.person("gone").await?.id;
    f.delete(gone).await?;
    f.group("haunted", &[&gone.to_string(), "ghost"]).await?;
    ids.push(gone.to_string());

    let rt = builtin::group_type();
    let view = GroupView { members: true };
    let everything = GroupQuery { matching: None, start_index: 1, count: 1_000, view };
    let everything = f.store.list_groups(f.tenant, &everything).await?.items;
    let mut leaf = |dice: &mut Dice| match dice.roll(6) {
        0 | 1 => text_leaf(dice, &["displayName", "externalId", "members.display"], &words),
        2 | 3 => {
            let id = &ids[dice.roll(ids.len())];
            match dice.roll(4) {
                0 => format!("members eq \"{id}\""),
                1 => format!("members[value eq \"{id}\"]"),
                2 => format!("members[value eq \"{id}\" or type eq \"Group\"]"),
                _ => format!("members[value eq \"{id}\" and type eq \"User\"]"),
            }
        }
        4 => text_leaf(dice, &["id", "members.value"], &ids),
        _ => dice.pick(&["members pr", "externalId pr", r#"members.type eq "Group""#]).to_owned(),
    };
    let mut found = 0;
    for round in 0..300 {
        let mut text = String::new();
        write_filter(&mut text, &mut dice, 3, &mut leaf);
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
        let matching = Some(Matching { filter: &filter, judge: &judge });
        let query = UserQuery { matching, start_index: 1, count: 1, view: UserView::default() };
        anyhow::Ok(f.store.list_users(f.tenant, &query).await)
    };
    let refused = list(r#"title co "x""#).await?;
    assert!(matches!(refused, Err(StoreError::TooMany { limit: SCAN_LIMIT })), "{refused:?}");
    assert_eq!(list(r#"userName eq "U77""#).await??.total, 1, "what an index decides is decided at any size");
    assert_eq!(list(r#"userName sw "u7777""#).await??.total, 11, "and so is what a column decides");
    Ok(())
}
