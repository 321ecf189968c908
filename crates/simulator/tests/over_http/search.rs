//! Searching by name, administrators' scopes, and who has used DingTalk (pages A0060, A0067, A0068, A0070).

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{APP_KEY, APP_SECRET, Harness, merged, person, unhurried};

const USERS: &str = "/v1.0/contact/users/search";
const DEPARTMENTS: &str = "/v1.0/contact/departments/search";
const SCOPE: &str = "/topapi/user/get_admin_scope";
const INACTIVE: &str = "/topapi/inactive/user/v2/get";

#[tokio::test]
async fn names_are_found_in_part_or_whole() {
    let harness = Harness::with(unhurried()).await;
    for (userid, mobile, name) in
        [("a", "13800000001", "Anna"), ("b", "13800000002", "Annabel"), ("c", "13800000003", "张安")]
    {
        harness.succeed("/topapi/v2/user/create", merged(person(userid, mobile), &json!({ "name": name }))).await;
    }
    let east = harness.department("East", 1).await;
    let north_east = harness.department("North East", 1).await;
    for (path, changes, expected) in [
        (USERS, json!({ "queryWord": "anna" }), json!({ "hasMore": false, "totalCount": 2, "list": ["a", "b"] })),
        (USERS, json!({ "queryWord": "anna", "size": 1 }), json!({ "hasMore": true, "totalCount": 2, "list": ["a"] })),
        (
            USERS,
            json!({ "queryWord": "anna", "size": 1, "offset": 1 }),
            json!({ "hasMore": false, "totalCount": 2, "list": ["b"] }),
        ),
        (
            USERS,
            json!({ "queryWord": "Anna", "fullMatchField": 1 }),
            json!({ "hasMore": false, "totalCount": 1, "list": ["a"] }),
        ),
        (USERS, json!({ "queryWord": "安" }), json!({ "hasMore": false, "totalCount": 1, "list": ["c"] })),
        (USERS, json!({ "queryWord": "zoe" }), json!({ "hasMore": false, "totalCount": 0, "list": [] })),
        (
            DEPARTMENTS,
            json!({ "queryWord": "east" }),
            json!({ "hasMore": false, "totalCount": 2, "list": [east, north_east] }),
        ),
    ] {
        let body = merged(json!({ "offset": 0, "size": 20 }), &changes);
        assert_eq!(harness.succeed_new(Method::POST, path, body).await, expected, "{path} {changes}");
    }
    for changes in [
        json!({ "queryWord": null }),
        json!({ "size": 21 }),
        json!({ "size": 0 }),
        json!({ "offset": -1 }),
        json!({ "offset": null }),
    ] {
        let body = merged(json!({ "queryWord": "x", "offset": 0, "size": 20 }), &changes);
        assert_eq!(harness.code(Method::POST, USERS, body).await, "parameter.error", "{changes}");
    }
    let narrow = json!({ "key": APP_KEY, "secret": APP_SECRET, "range": [east] });
    harness.control(Method::PUT, "/apps", narrow).await;
    let body = json!({ "queryWord": "east", "offset": 0, "size": 20 });
    assert_eq!(harness.succeed_new(Method::POST, DEPARTMENTS, body).await["list"], json!([east]));
}

#[tokio::test]
async fn administrators_manage_departments() {
    let harness = Harness::with(unhurried()).await;
    let east = harness.department("East", 1).await;
    for (userid, mobile, level) in [("main", "13800000001", 1), ("sub", "13800000002", 2), ("anna", "13800000003", 0)] {
        let changes = json!({ "action": "create_user", "admin_level": level, "admin_dept_ids": east.to_string() });
        harness.post_control("/edit", merged(person(userid, mobile), &changes)).await;
    }
    for (userid, expected) in [("main", json!([1])), ("sub", json!([east])), ("anna", json!([]))] {
        let answer = harness.call(SCOPE, json!({ "userid": userid })).await;
        assert_eq!((&answer["errcode"], &answer["dept_ids"]), (&json!(0), &expected), "{userid}");
    }
    assert_eq!(harness.errcode(SCOPE, json!({ "userid": "nobody" })).await, 60121);
    let admins = harness.succeed("/topapi/user/listadmin", json!({})).await;
    assert_eq!(admins, json!([{ "sys_level": 1, "userid": "main" }, { "sys_level": 2, "userid": "sub" }]));
}

#[tokio::test]
async fn the_organisation_says_how_it_is_certified_and_joined() {
    const AUTH: &str = "/v1.0/contact/organizations/authInfos";
    const INVITES: &str = "/v1.0/contact/invites/infos";
    let harness = Harness::with(unhurried()).await;
    harness.create("anna", "13800000001").await;
    let bare = json!({ "orgName": "Simulated Organisation", "authLevel": 0 });
    assert_eq!(harness.succeed_new(Method::GET, AUTH, Value::Null).await, bare);
    harness.control(Method::PATCH, "/organisation", json!({ "auth_level": 1 })).await;
    let certified =
        harness.succeed_new(Method::GET, &format!("{AUTH}?targetCorpId=dingsimulatedcorp"), Value::Null).await;
    assert_eq!((&certified["authLevel"], certified["unifiedSocialCredit"].is_string()), (&json!(1), true));
    for (path, expected) in [
        (format!("{AUTH}?targetCorpId=other"), "invalidParameter.system.param"),
        (INVITES.to_owned(), "invalidParameter.param.empty"),
        (format!("{INVITES}?inviterUserId=nobody"), "invalidParameter.param.invalid"),
        (format!("{INVITES}?inviterUserId=anna&deptId=99"), "invalidParameter.param.invalid"),
        (format!("{INVITES}?inviterUserId=anna&deptId=1"), ""),
    ] {
        assert_eq!(harness.code(Method::GET, &path, Value::Null).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_day_is_complete_the_next_morning() {
    let harness = Harness::with(unhurried()).await;
    let east = harness.department("East", 1).await;
    for (userid, mobile) in [("anna", "13800000001"), ("bert", "13800000002"), ("carl", "13800000003")] {
        harness.create(userid, mobile).await;
    }
    harness.succeed("/topapi/v2/user/update", json!({ "userid": "carl", "dept_id_list": east.to_string() })).await;
    harness.post_control("/users/anna/login", Value::Null).await;
    let now = harness.post_control("/clock", json!({ "advance_ms": 0 })).await["wall_ms"].as_i64().expect("a number");
    let day = |days_ago: i64| {
        // In China, eight hours ahead of UTC.
        let moment = time::OffsetDateTime::from_unix_timestamp(now / 1_000 + 8 * 3_600 - days_ago * 86_400);
        let date = moment.expect("a moment").date();
        format!("{:04}{:02}{:02}", date.year(), u8::from(date.month()), date.day())
    };
    for (changes, expected) in [
        (json!({ "is_active": null }), 400_002),
        (json!({ "query_date": null }), 400_002),
        (json!({ "query_date": "yesterday" }), 400_002),
        (json!({ "query_date": day(0) }), 400_002),
        (json!({ "query_date": day(40) }), 400_002),
        (json!({ "size": 101 }), 40069),
        (json!({ "offset": -1 }), 40068),
        (json!({}), 0),
    ] {
        let body = merged(json!({ "is_active": false, "query_date": day(3), "offset": 0, "size": 100 }), &changes);
        assert_eq!(harness.errcode(INACTIVE, body).await, expected, "{changes}");
    }
    for (changes, expected) in [
        (json!({ "is_active": true }), json!({ "has_more": false, "list": ["anna"] })),
        (json!({ "size": 1 }), json!({ "has_more": true, "list": ["bert"], "next_cursor": 1 })),
        (json!({ "size": 1, "offset": 1 }), json!({ "has_more": false, "list": ["carl"] })),
        (json!({ "dept_ids": east.to_string() }), json!({ "has_more": false, "list": ["carl"] })),
    ] {
        let body = merged(json!({ "is_active": false, "query_date": day(3), "offset": 0, "size": 100 }), &changes);
        assert_eq!(harness.succeed(INACTIVE, body).await, expected, "{changes}");
    }
}
