//! People whom DingTalk asks first: 40103 and everything around it.

use reqwest::{Method, StatusCode};
use rollcall_simulator::{Options, Organisation};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, person};

const CREATE: &str = "/topapi/v2/user/create";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn a_number_decides_what_create_answers() {
    let harness = Harness::start().await;
    harness.create("member", "13800000001").await;
    for (mobile, person_outside, expected) in [
        ("13900000000", json!(null), 0),
        ("13900000001", json!({}), 0),
        ("13900000002", json!({ "certified_corp": true }), 40103),
        ("13900000003", json!({ "privacy": true }), 40103),
        ("13900000004", json!({ "left_today": true }), 40103),
        ("13900000005", json!({ "uncertified_corps": 5 }), 40019),
        ("13900000006", json!({ "uncertified_corps": 4 }), 0),
        ("13900000007", json!({ "member_userid": "member" }), 60107),
        ("13900000008", json!({ "member_userid": "somebody else" }), 0),
    ] {
        if !person_outside.is_null() {
            harness.post_control("/people", merged(person_outside, &json!({ "mobile": mobile }))).await;
        }
        let answer = harness.create(&format!("u{mobile}"), mobile).await;
        assert_eq!(answer["errcode"], expected, "{mobile}: {answer}");
        assert_eq!(answer.get("result").is_some(), expected == 0, "no user id comes with a refusal: {answer}");
    }
}

#[tokio::test]
async fn an_invited_person_is_nowhere_until_they_accept() {
    let harness = Harness::start().await;
    harness.post_control("/people", json!({ "mobile": "13900000001", "privacy": true })).await;
    assert_eq!(harness.create("anna", "13900000001").await["errcode"], 40103);
    assert_eq!(harness.create("anna", "13900000001").await["errcode"], 40103, "asking again changes nothing");

    for (api, body) in [
        ("/topapi/v2/user/get", json!({ "userid": "anna" })),
        ("/topapi/v2/user/update", json!({ "userid": "anna", "title": "x" })),
        ("/topapi/v2/user/delete", json!({ "userid": "anna" })),
        ("/topapi/v2/user/getbymobile", json!({ "mobile": "13900000001" })),
    ] {
        assert_eq!(harness.errcode(api, body).await, 60121, "{api}");
    }
    let listed = harness.succeed("/topapi/user/listid", json!({ "dept_id": 1 })).await;
    assert_eq!(listed, json!({ "userid_list": [] }));
    let state = harness.state().await;
    assert_eq!(state["invitations"][0]["times"], 2);

    let joined = harness.post_control("/invitations/13900000001/accept", Value::Null).await;
    assert_eq!(joined, json!({ "userid": "anna" }));
    let found = harness.succeed("/topapi/v2/user/getbymobile", json!({ "mobile": "13900000001" })).await;
    assert_eq!(found, json!({ "userid": "anna" }));
    assert_eq!(harness.state().await["invitations"], json!([]));
    let (status, _) = harness.control(Method::POST, "/invitations/13900000001/accept", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_declined_invitation_is_gone_and_may_be_sent_again() {
    let harness = Harness::start().await;
    harness.post_control("/people", json!({ "mobile": "+1-4155550100", "certified_corp": true })).await;
    assert_eq!(harness.create("anna", "+1-4155550100").await["errcode"], 40103);
    harness.post_control("/invitations/+1-4155550100/decline", Value::Null).await;
    let state = harness.state().await;
    assert_eq!((&state["invitations"], &state["users"]), (&json!([]), &json!([])));
    assert_eq!(harness.create("anna", "+1-4155550100").await["errcode"], 40103);
}

#[tokio::test]
async fn an_invitation_may_be_recalled_where_there_is_such_a_call() {
    let harness = Harness::start().await;
    harness.post_control("/people", json!({ "mobile": "13900000001", "privacy": true })).await;
    harness.create("anna", "13900000001").await;
    let recall = async |mobile: &str| {
        let body = json!({ "mobile": mobile, "optUserId": "admin" });
        harness.code(Method::POST, "/v1.0/contact/invites/recall", body).await
    };
    assert_eq!(recall("13900000001").await, "InvalidAction.NotFound");
    harness.control(Method::PATCH, "/switches", json!({ "invitations_can_be_recalled": true })).await;
    assert_eq!(recall("139").await, "invalidParameter.param.invalid");
    assert_eq!(recall("13900000001").await, "");
    assert_eq!(recall("13900000001").await, "user.not.exist");
    assert_eq!(harness.state().await["invitations"], json!([]));
}

#[tokio::test]
async fn the_requested_id_may_be_lost_on_acceptance() {
    let harness = Harness::start().await;
    harness.control(Method::PATCH, "/switches", json!({ "invitation_keeps_userid": false })).await;
    harness.post_control("/people", json!({ "mobile": "13900000001", "privacy": true })).await;
    harness.create("anna", "13900000001").await;
    let joined = harness.post_control("/invitations/13900000001/accept", Value::Null).await;
    assert_ne!(joined["userid"], "anna");
    let found = harness.succeed("/topapi/v2/user/getbymobile", json!({ "mobile": "13900000001" })).await;
    assert_eq!(found, joined);
}

#[tokio::test]
async fn what_others_took_meanwhile_is_dropped_on_acceptance() {
    let harness = Harness::start().await;
    let dept_id = harness.department("For a while", 1).await;
    harness.post_control("/people", json!({ "mobile": "13900000001", "privacy": true })).await;
    let fields = json!({ "email": "a@example.com", "telephone": "1", "dept_id_list": dept_id.to_string() });
    assert_eq!(harness.errcode(CREATE, merged(person("anna", "13900000001"), &fields)).await, 40103);
    let other = json!({ "email": "a@example.com", "userid": "anna" });
    harness.succeed(CREATE, merged(person("anna", "13900000002"), &other)).await;
    harness.succeed("/topapi/v2/department/delete", json!({ "dept_id": dept_id })).await;

    let joined = harness.post_control("/invitations/13900000001/accept", Value::Null).await;
    let userid = joined["userid"].as_str().expect("a text");
    assert_ne!(userid, "anna");
    let joined = harness.succeed("/topapi/v2/user/get", json!({ "userid": userid })).await;
    assert_eq!((joined.get("email"), &joined["telephone"]), (None, &json!("1")));
    assert_eq!(joined["dept_id_list"], json!([1]));
}

#[tokio::test]
async fn who_left_the_day_they_joined_must_consent_for_a_day() {
    let harness = Harness::start().await;
    // From noon in China (UTC+8), so that no midnight falls between joining and leaving at once.
    let now = harness.post_control("/clock", json!({ "advance_ms": 0 })).await["wall_ms"].as_u64().expect("a number");
    let noon = DAY_MS / 2 - DAY_MS / 3;
    harness.post_control("/clock", json!({ "advance_ms": (DAY_MS + noon - now % DAY_MS) % DAY_MS })).await;
    for (userid, mobile, days_in_between, expected) in
        [("anna", "13900000001", 0, 40103), ("bert", "13900000002", 2, 0)]
    {
        harness.post_control("/edit", merged(person(userid, mobile), &json!({ "action": "create_user" }))).await;
        harness.post_control("/clock", json!({ "advance_ms": DAY_MS * days_in_between })).await;
        let token = harness.fresh_token().await;
        let path = format!("/topapi/v2/user/delete?access_token={token}");
        let deleted = harness.request(Method::POST, &path).json(&json!({ "userid": userid })).send().await;
        let deleted: Value = deleted.expect("an answer").json().await.expect("JSON");
        assert_eq!(deleted["errcode"], 0, "{deleted}");
        let path = format!("{CREATE}?access_token={token}");
        let again = harness.request(Method::POST, &path).json(&person(userid, mobile)).send().await;
        let again: Value = again.expect("an answer").json().await.expect("JSON");
        assert_eq!(again["errcode"], expected, "{userid}: {again}");
    }
}

#[tokio::test]
async fn a_full_organisation_takes_nobody() {
    let organisation = Organisation { head_count_limit: Some(1), ..Organisation::default() };
    let harness = Harness::with(Options { organisation, ..Options::default() }).await;
    assert_eq!(harness.create("anna", "13900000001").await["errcode"], 0);
    assert_eq!(harness.create("bert", "13900000002").await["errcode"], 40020);
    harness.control(Method::PATCH, "/switches", json!({ "head_count_limit_is_busy": true })).await;
    assert_eq!(harness.create("bert", "13900000002").await["errcode"], -1);
}

#[tokio::test]
async fn an_organisation_may_take_so_many_a_week() {
    let organisation = Organisation { weekly_add_limit: Some(1), ..Organisation::default() };
    let mut harness = Harness::with(Options { organisation, ..Options::default() }).await;
    assert_eq!(harness.create("anna", "13900000001").await["errcode"], 0);
    assert_eq!(harness.create("bert", "13900000002").await["errcode"], 40024);
    harness.control(Method::PATCH, "/switches", json!({ "head_count_limit_is_busy": true })).await;
    assert_eq!(harness.create("bert", "13900000002").await["errcode"], -1);
    harness.post_control("/clock", json!({ "advance_ms": 7 * DAY_MS })).await;
    harness.token = harness.fresh_token().await;
    assert_eq!(harness.create("bert", "13900000002").await["errcode"], 0);
}
