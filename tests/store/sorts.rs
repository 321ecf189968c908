//! The database's order is the order that the rules give, on random data.

use std::collections::HashMap;

use anyhow::Context as _;

use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::filter::Filter;
use rollcall_scim::profile::Profile;
use rollcall_scim::schema::{Attribute, Extension, Kind, Schema, builtin};
use rollcall_scim::sort::Sort;
use rollcall_store::groups::{GroupQuery, GroupView};
use rollcall_store::listing::Matching;
use rollcall_store::sorted::AnyResource;
use rollcall_store::users::{StoredUser, UserQuery, UserView};
use rollcall_store::walk::UserWalk;
use serde_json::{Map, Value, json};

use crate::dice::{Dice, words};
use crate::fixture::{ENTERPRISE, Fixture};
use crate::shown::shown_user;

const USERS: UserView = UserView { groups: false, projection: false, source: None };

/// Texts beyond those that filters are tried with: letters that lower to several, composed and decomposed accents,
/// digits and punctuation around the letters, other scripts.
fn texts() -> Vec<String> {
    let more = [
        "É",
        "e\u{301}",
        "é",
        "Z",
        "a",
        "_",
        "10",
        "9",
        "Ⅷ",
        "ǅ",
        "Ω",
        "ω",
        "ПРИВЕТ",
        "привет",
        "ａｄａ",
        "ς",
        "Σ x",
        "ΑΣ ΑΣ",
        "ß",
        "ẞ",
        "张",
        "李",
        "🦀",
        "ﬀ",
        "Å",
        "Ä",
        "I",
        "ı",
        "ĳ",
        "ᾀ",
        "ᾈ",
        "ｶﾞ",
        "ガ",
        "a\u{3000}b",
        "²",
    ];
    let mut texts = words();
    texts.extend(more.map(str::to_owned));
    texts
}

fn random_user(dice: &mut Dice, texts: &[String], number: usize) -> Value {
    let mut text = |sides: usize| (dice.roll(sides) != 0).then(|| dice.word(texts).to_owned());
    let mut user = Map::new();
    let name = text(4).filter(|text| text.len() < 900).unwrap_or_default();
    user.insert("userName".to_owned(), format!("{name}-{number}").into());
    for attribute in ["displayName", "externalId", "title", "profileUrl"] {
        user.extend(text(4).map(|text| (attribute.to_owned(), text.into())));
    }
    user.extend(text(2).map(|family| ("name".to_owned(), json!({ "familyName": family }))));
    user.extend(text(3).map(|text| (ENTERPRISE.to_owned(), json!({ "department": text }))));
    let mut emails: Vec<Value> = (0..3).filter_map(|_| text(2)).map(|email| json!({ "value": email })).collect();
    let preferred = dice.roll(4);
    if let Some(email) = emails.get_mut(preferred) {
        email["primary"] = true.into();
        email["type"] = "work".into();
    }
    user.extend((!emails.is_empty()).then(|| ("emails".to_owned(), emails.into())));
    user.insert("active".to_owned(), (dice.roll(3) != 0).into());
    user.into()
}

fn by_key<I: Ord + Copy>(sort: &Sort, mut keyed: Vec<(I, Value)>) -> Vec<I> {
    keyed.sort_by(|(one_id, one), (two_id, two)| {
        let keys = sort.compare(sort.key(one).as_ref(), sort.key(two).as_ref());
        keys.then_with(|| one_id.cmp(two_id))
    });
    keyed.into_iter().map(|(id, _)| id).collect()
}

fn sort(by: &str, order: &str) -> anyhow::Result<Sort> {
    Ok(Sort::parse(&builtin::user_type(), &[], Some(by), Some(order))?.unwrap_or(Sort { by: None, descending: false }))
}

/// The ids met on a walk from page to page to the end, and those met on the way back, in the order of the list.
async fn walked(
    f: &Fixture,
    matching: Option<Matching<'_, StoredUser>>,
    sort: Option<&Sort>,
    count: i64,
) -> anyhow::Result<[Vec<ResourceId>; 2]> {
    let mut ways = [Vec::new(), Vec::new()];
    let mut from = None;
    for backward in [false, true] {
        let mut more = true;
        while more {
            let walk = UserWalk { matching, from: from.as_ref(), backward, count, view: USERS };
            let found = f.store.walk_users(f.tenant, &walk, sort).await?;
            let ids: Vec<_> = found.items.iter().map(|user| user.id).collect();
            if backward {
                ways[1].splice(0..0, ids);
            } else {
                ways[0].extend(ids);
            }
            if let Some([first, last]) = found.ends {
                from = Some(if backward { first } else { last });
            }
            more = found.more;
        }
        // Back from behind the last one: only it is not met again.
        if !backward {
            let last = ways[0].last().copied();
            ways[1].extend(last);
        }
    }
    Ok(ways)
}

#[tokio::test]
async fn walks_in_the_order_of_the_ids_meet_everybody() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let (mut dice, texts) = (Dice(9865), texts());
    for number in 0..60 {
        f.user(random_user(&mut dice, &texts, number)).await?;
    }
    let rt = builtin::user_type();
    for text in [None, Some("active eq true"), Some("title pr"), Some("userName pr and title pr")] {
        let filter = text.map(|text| Filter::parse(text, &rt, &Profile::generic())).transpose()?;
        let judge =
            |user: &StoredUser| filter.as_ref().is_none_or(|filter| filter.matches(&rt, &shown_user(&rt, user)));
        let matching = filter.as_ref().map(|filter| Matching { filter, judge: &judge });
        let all = UserQuery { matching, start_index: 1, count: 1_000, view: USERS };
        let all: Vec<_> = f.store.list_users(f.tenant, &all).await?.items.iter().map(|user| user.id).collect();
        assert!(all.len() > 10, "{text:?}");
        for count in [1, 7, 60, 61] {
            assert_eq!(walked(&f, matching, None, count).await?, [all.clone(), all.clone()], "{text:?} {count}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn users_are_put_in_the_order_of_the_rules() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let (mut dice, texts) = (Dice(7644), texts());
    for number in 0..200 {
        f.user(random_user(&mut dice, &texts, number)).await?;
    }
    let rt = builtin::user_type();
    let everybody = UserQuery { matching: None, start_index: 1, count: 1_000, view: USERS };
    let everybody = f.store.list_users(f.tenant, &everybody).await?.items;
    let shown: HashMap<_, _> = everybody.iter().map(|user| (user.id, shown_user(&rt, user))).collect();
    let department = format!("{ENTERPRISE}:department");
    let paths = [
        "userName",
        "displayName",
        "externalId",
        "title",
        "name.familyName",
        "profileUrl",
        "emails",
        "emails.value",
        "emails.type",
        "emails.primary",
        "active",
        &department,
        "id",
        "schemas",
        "meta.created",
        "meta.lastModified",
        "meta.version",
        "meta.resourceType",
        "addresses.country",
    ];
    // All, those whom the database finds alone, and those whom it cannot find alone.
    let filters = [None, Some("active eq true"), Some(r#"title pr and not (emails.type eq "work")"#)];
    let mut judged = 0;
    for path in paths {
        for order in ["ascending", "descending"] {
            let sort = sort(path, order)?;
            for text in filters {
                let filter = text.map(|text| Filter::parse(text, &rt, &Profile::generic())).transpose()?;
                let judge =
                    |user: &StoredUser| filter.as_ref().is_none_or(|filter| filter.matches(&rt, &shown[&user.id]));
                let wanted = everybody.iter().filter(|user| judge(user));
                let wanted = by_key(&sort, wanted.map(|user| (user.id, shown[&user.id].clone())).collect());
                let matching = filter.as_ref().map(|filter| Matching { filter, judge: &judge });
                let page = async |start_index, count| {
                    let query = UserQuery { matching, start_index, count, view: USERS };
                    f.store.list_users_sorted(f.tenant, &query, &sort).await
                };
                let all = page(1, 1_000).await?;
                let found: Vec<_> = all.items.iter().map(|user| user.id).collect();
                assert_eq!(found, wanted, "{path} {order} {text:?}");
                assert_eq!(usize::try_from(all.total)?, wanted.len(), "{path} {order} {text:?}");
                let some = page(11, 7).await?;
                assert_eq!((some.total, some.items.as_slice()), (all.total, &all.items[10..17]), "{path} {order}");
                let walked = walked(&f, matching, Some(&sort), 13).await?;
                assert_eq!(walked, [found.clone(), found.clone()], "{path} {order} {text:?}");
                judged += found.len();
            }
        }
    }
    assert!(judged > 5_000, "orders of nobody prove nothing: {judged}");
    Ok(())
}

/// Moments as clients may write them, and what is no moment but is left of an attribute of another type.
const MOMENTS: [&str; 16] = [
    "2026-01-31T08:00:00Z",
    "2026-01-31t08:00:00z",
    "2026-01-31T08:00:00.1234567Z",
    "2026-01-31T08:00:00.123456Z",
    "2026-01-31T10:00:00+02:00",
    "2026-01-30T20:01:00-12:00",
    "2026-02-01T04:00:00+20:00",
    "2026-01-31T08:00:00",
    "2026-01-31 07:59:59.999999999",
    "2016-12-31T23:59:60Z",
    "2017-01-01T00:00:00Z",
    "0000-02-29T12:00:00Z",
    "9999-12-31T23:59:59Z",
    "2024-02-29T00:00:00Z",
    "yesterday",
    "٢٠٢٦-01-31T08:00:00Z",
];

#[tokio::test]
async fn moments_inside_a_resource_are_put_in_order() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let urn = "urn:example:hr:2.0:User";
    let mut dice = Dice(2_026);
    for number in 0..60 {
        let mut user = json!({ "userName": number.to_string(), "active": true });
        if dice.roll(6) > 0 {
            let elements: Vec<_> = (0..2).map(|_| json!({ "at": dice.pick(&MOMENTS) })).collect();
            user[urn] = json!({ "hiredAt": dice.pick(&MOMENTS), "leaves": elements });
        }
        f.user(user).await?;
    }
    let part = Attribute::new("at", Kind::DateTime, "From when on.");
    let attributes = vec![
        Attribute::new("hiredAt", Kind::DateTime, "First day."),
        Attribute::complex("leaves", "Leaves.", vec![part]).multi(),
    ];
    let schema = Schema::new(urn, "Hr", "", attributes);
    let rt = builtin::user_type().with_extension(Extension::optional(schema));
    let everybody = UserQuery { matching: None, start_index: 1, count: 1_000, view: USERS };
    let everybody = f.store.list_users(f.tenant, &everybody).await?.items;
    for by in ["hiredAt", "leaves.at"] {
        for order in ["ascending", "descending"] {
            let sort = Sort::parse(&rt, &[], Some(&format!("{urn}:{by}")), Some(order))?.context("a sort")?;
            let wanted = everybody.iter().map(|user| (user.id, shown_user(&rt, user))).collect();
            let wanted = by_key(&sort, wanted);
            let query = UserQuery { matching: None, start_index: 1, count: 1_000, view: USERS };
            let found = f.store.list_users_sorted(f.tenant, &query, &sort).await?;
            let found: Vec<_> = found.items.iter().map(|user| user.id).collect();
            assert_eq!(found, wanted, "{by} {order}");
            assert_eq!(walked(&f, None, Some(&sort), 7).await?, [found.clone(), found], "{by} {order}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn pages_beyond_the_end_know_the_total() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    for name in ["b", "a", "c"] {
        f.person(name).await?;
    }
    let sort = sort("userName", "descending")?;
    let cases: [(i64, i64, &[&str]); 5] =
        [(1, 2, &["c", "b"]), (3, 9, &["a"]), (4, 9, &[]), (1, 0, &[]), (-2, 1, &["c"])];
    for (start_index, count, expected) in cases {
        let query = UserQuery { matching: None, start_index, count, view: USERS };
        let page = f.store.list_users_sorted(f.tenant, &query, &sort).await?;
        let names: Vec<_> = page.items.iter().filter_map(|user| user.resource.string("userName")).collect();
        assert_eq!((page.total, names.as_slice()), (3, expected), "from {start_index}, {count} at most");
    }
    Ok(())
}

/// What a page of both types holds, by name.
fn names(items: &[AnyResource]) -> Vec<&str> {
    fn name(item: &AnyResource) -> Option<&str> {
        match item {
            AnyResource::User(user) => user.resource.string("userName"),
            AnyResource::Group(group) => group.resource.string("displayName"),
        }
    }
    items.iter().filter_map(name).collect()
}

#[tokio::test]
async fn both_types_are_put_in_one_order() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    for (name, shown) in [("u1", "B"), ("u2", "d"), ("u3", "")] {
        let user = json!({ "userName": name, "displayName": shown });
        let bare = json!({ "userName": name });
        f.user(if shown.is_empty() { bare } else { user }).await?;
    }
    f.group("c", &["x", "y"]).await?;
    f.group("A", &[]).await?;
    let (users, groups) = (builtin::user_type(), builtin::group_type());
    let cases: [(&str, &str, &[&str]); 5] = [
        ("displayName", "ascending", &["A", "u1", "c", "u2", "u3"]),
        ("displayName", "descending", &["u3", "u2", "c", "u1", "A"]),
        // Nothing that a group has.
        ("userName", "descending", &["c", "A", "u3", "u2", "u1"]),
        ("userName", "ascending", &["u1", "u2", "u3", "c", "A"]),
        ("meta.resourceType", "ascending", &["c", "A", "u1", "u2", "u3"]),
    ];
    for (by, order, expected) in cases {
        let of_users = Sort::parse(&users, &[&groups], Some(by), Some(order))?.unwrap_or(sort(by, order)?);
        let of_groups = Sort::parse(&groups, &[&users], Some(by), Some(order))?.unwrap_or(sort(by, order)?);
        let page = async |start_index, count| {
            let user_query = UserQuery { matching: None, start_index, count, view: USERS };
            let view = GroupView { members: true, source: None };
            let group_query = GroupQuery { matching: None, start_index, count, view };
            f.store.list_everything_sorted(f.tenant, &user_query, &group_query, [&of_users, &of_groups]).await
        };
        let all = page(1, 100).await?;
        assert_eq!((all.total, names(&all.items)), (5, expected.to_vec()), "{by} {order}");
        let some = page(2, 3).await?;
        assert_eq!((some.total, names(&some.items)), (5, expected[1..4].to_vec()), "{by} {order}");
        let members = all.items.iter().find_map(|item| match item {
            AnyResource::Group(group) if group.resource.string("displayName") == Some("c") => group.members.as_ref(),
            _ => None,
        });
        assert_eq!(members.map(Vec::len), Some(2), "the view is kept to");
    }
    Ok(())
}
