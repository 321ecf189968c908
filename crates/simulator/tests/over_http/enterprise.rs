//! Enterprise accounts: creation, update, what reads show, and control on the new host (pages A0103 to A0115).

use reqwest::Method;
use rollcall_simulator::{ForeignAccount, Options, Organisation};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, unhurried};

const CREATE: &str = "/topapi/v2/user/create";
const UPDATE: &str = "/topapi/v2/user/update";
const GET: &str = "/topapi/v2/user/get";
const CONTROL: &str = "/v1.0/contact/orgAccounts";

async fn harness() -> Harness {
    let foreign = |userid: &str| ForeignAccount {
        corp_id: "dingothercorp".to_owned(),
        corp_name: "Other Organisation".to_owned(),
        userid: userid.to_owned(),
    };
    let organisation = Organisation {
        enterprise_accounts: true,
        corp_mailbox: true,
        foreign_accounts: vec![foreign("guest")],
        ..Organisation::default()
    };
    Harness::with(Options { organisation, ..unhurried() }).await
}

fn account(userid: &str, kind: &str) -> Value {
    let base = json!({
        "userid": userid, "name": userid, "dept_id_list": "1", "exclusive_account": true, "exclusive_account_type": kind
    });
    match kind {
        "dingtalk" => merged(base, &json!({ "login_id": format!("login-{userid}"), "init_password": "passw0rds" })),
        _ => base,
    }
}

#[tokio::test]
async fn enterprise_accounts_need_no_number() {
    let harness = harness().await;
    harness.succeed(CREATE, account("first", "dingtalk")).await;
    for (kind, changes, expected) in [
        ("sso", json!({ "exclusive_account_type": "other" }), 400_002),
        ("sso", json!({ "exclusive_account_type": null }), 400_002),
        ("sso", json!({ "name": null }), 400_002),
        ("sso", json!({ "dept_id_list": null }), 40066),
        ("sso", json!({ "exclusive_mobile": "1234" }), 60103),
        ("dingtalk", json!({ "login_id": null }), 400_002),
        ("dingtalk", json!({ "login_id": "login-first" }), 400_002),
        ("dingtalk", json!({ "init_password": null }), 400_002),
        ("dingtalk", json!({ "init_password": "short1" }), 400_002),
        ("dingtalk", json!({ "init_password": "lettersonly" }), 400_002),
        ("dingtalk", json!({ "init_password": "1234567890" }), 400_002),
        ("dingtalk", json!({ "send_password_to_user": "perhaps" }), 400_002),
        ("sso", json!({ "nickname": "S", "exclusive_mobile": "+86-13800000009", "avatarMediaId": "@pic" }), 0),
    ] {
        assert_eq!(
            harness.errcode(CREATE, merged(account("sso1", kind), &changes)).await,
            expected,
            "{kind} {changes}"
        );
    }
    let read = harness.succeed(GET, json!({ "userid": "sso1" })).await;
    for (name, value) in [
        ("exclusive_account", json!(true)),
        ("exclusive_account_type", json!("sso")),
        ("exclusive_account_corp_id", json!("dingsimulatedcorp")),
        ("exclusive_account_corp_name", json!("Simulated Organisation")),
        ("disable_status", json!(false)),
        ("nickname", json!("S")),
        ("avatar", json!("@pic")),
    ] {
        assert_eq!(read[name], value, "{name}");
    }
    assert_eq!((read.get("mobile"), read.get("login_id")), (None, None));
    let by_mobile = json!({ "mobile": "13800000009", "support_exclusive_account_search": true });
    let found = harness.succeed("/topapi/v2/user/getbymobile", by_mobile).await;
    assert_eq!(found, json!({ "exclusive_account_userid_list": ["sso1"] }));
    let by_login = harness.succeed(GET, json!({ "userid": "ignored", "login_id": "login-first" })).await;
    assert_eq!((&by_login["userid"], &by_login["login_id"]), (&json!("first"), &json!("login-first")));
    assert_eq!(harness.errcode(GET, json!({ "login_id": "nobody" })).await, 60121);
}

#[tokio::test]
async fn organisations_without_the_feature_have_no_enterprise_accounts() {
    let harness = Harness::start().await;
    assert_eq!(harness.errcode(CREATE, account("sso1", "sso")).await, 400_002);
}

#[tokio::test]
async fn an_update_must_name_the_departments() {
    let harness = harness().await;
    harness.succeed(CREATE, account("first", "dingtalk")).await;
    harness.succeed(CREATE, account("second", "dingtalk")).await;
    for (changes, expected) in [
        (json!({ "dept_id_list": null, "nickname": "T" }), 40066),
        (json!({ "loginId": "login-first" }), 400_002),
        (json!({ "init_password": "tooshort" }), 400_002),
        (json!({ "org_email_type": "other" }), 400_002),
        (json!({ "loginId": "login-second", "org_email": "s@example.com", "org_email_type": "base" }), 0),
        (json!({ "loginId": "renamed", "nickname": "", "dept_title_list": [{ "dept_id": 1, "title": "Lead" }] }), 0),
    ] {
        let body = merged(json!({ "userid": "second", "dept_id_list": "1" }), &changes);
        assert_eq!(harness.errcode(UPDATE, body).await, expected, "{changes}");
    }
    let read = harness.succeed(GET, json!({ "userid": "second" })).await;
    assert_eq!((&read["login_id"], read.get("nickname")), (&json!("renamed"), None));
    assert_eq!((&read["org_email"], &read["org_email_type"]), (&json!("s@example.com"), &json!("base")));
    let unbind = json!({ "userid": "second", "dept_id_list": "1", "force_update_fields": "org_email" });
    harness.succeed(UPDATE, unbind).await;
    let read = harness.succeed(GET, json!({ "userid": "second" })).await;
    assert_eq!((read.get("org_email"), read.get("org_email_type")), (None, None));
}

#[tokio::test]
async fn accounts_can_be_disabled_without_being_deleted() {
    let harness = harness().await;
    harness.succeed(CREATE, account("sso1", "sso")).await;
    let status = async || harness.succeed_new(Method::GET, &format!("{CONTROL}/status?userId=sso1"), Value::Null).await;
    assert_eq!(status().await, json!({ "disable": false }));
    for (call, disabled) in [("disable", true), ("disable", true), ("signOut", true), ("enable", false)] {
        let body = json!({ "userId": "sso1", "reason": "on leave" });
        let done = harness.succeed_new(Method::POST, &format!("{CONTROL}/{call}"), body).await;
        assert_eq!((done, status().await), (json!({ "result": true }), json!({ "disable": disabled })), "{call}");
        let read = harness.succeed(GET, json!({ "userid": "sso1" })).await;
        let page = json!({ "dept_id": 1, "cursor": 0, "size": 10 });
        let page = harness.succeed("/topapi/v2/user/list", page).await;
        for shown in [&read, &page["list"][0]] {
            assert_eq!((&shown["disable_status"], &shown["exclusive_account_type"]), (&json!(disabled), &json!("sso")));
        }
    }
    assert_eq!(harness.state().await["users"][0]["exclusive"]["disabled"], false);
    harness.succeed_new(Method::POST, &format!("{CONTROL}/disable"), json!({ "userId": "sso1" })).await;
    let page = harness.request(Method::GET, "/_simulator/").send().await.expect("an answer");
    let page = page.text().await.expect("a page");
    assert!(page.contains("1 of them with enterprise accounts") && page.contains(" · disabled"), "{page}");
}

#[tokio::test]
async fn control_is_refused_in_its_own_words() {
    let harness = harness().await;
    harness.create("anna", "13800000001").await;
    let guest = json!({
        "userid": "guest1", "name": "Guest", "dept_id_list": "1",
        "outer_exclusive_corpid": "dingothercorp", "outer_exclusive_userid": "guest"
    });
    assert_eq!(
        harness.errcode(CREATE, merged(guest.clone(), &json!({ "outer_exclusive_userid": "x" }))).await,
        400_002
    );
    harness.succeed(CREATE, guest).await;
    let read = harness.succeed(GET, json!({ "userid": "guest1" })).await;
    assert_eq!((&read["exclusive_account_corp_id"], read.get("disable_status")), (&json!("dingothercorp"), None));
    for (userid, expected) in [
        (json!(null), "invalid.param"),
        (json!("nobody"), "user.not.exist"),
        (json!("anna"), "exclusive.account.only"),
        (json!("guest1"), "exclusive.account.limit"),
    ] {
        for call in ["enable", "disable", "signOut"] {
            let path = format!("{CONTROL}/{call}");
            assert_eq!(
                harness.code(Method::POST, &path, json!({ "userId": userid })).await,
                expected,
                "{call} {userid}"
            );
        }
        let path = format!("{CONTROL}/status?userId={}", userid.as_str().unwrap_or_default());
        assert_eq!(harness.code(Method::GET, &path, Value::Null).await, expected, "{userid}");
    }
}

#[tokio::test]
async fn a_dingtalk_id_is_set_once() {
    let harness = harness().await;
    harness.create("anna", "13800000001").await;
    harness.succeed(CREATE, account("one", "sso")).await;
    harness.succeed(CREATE, account("two", "sso")).await;
    for (userid, dingtalk_id, expected) in [
        ("nobody", "abc123", "emp.not.exist"),
        ("anna", "abc123", "internalenterpriseaccount.limit"),
        ("one", "abc12", "incorrect.length"),
        ("one", "a12345678901234567890", "incorrect.length"),
        ("one", "1abcde", "incorrect.format"),
        ("one", "abc 123", "incorrect.format"),
        ("one", "abc123", ""),
        ("one", "abc1234", "have.been.set"),
        ("two", "abc123", "incorrect.reserved"),
    ] {
        let body = json!({ "userId": userid, "dingTalkId": dingtalk_id });
        let code = harness.code(Method::POST, &format!("{CONTROL}/dingTalkIds/change"), body).await;
        assert_eq!(code, expected, "{userid} {dingtalk_id}");
    }
    for (changes, expected) in [
        (json!({ "joinCorpId": null }), "invalid.param"),
        (json!({ "grantDeptIdList": [99] }), "invalid.param"),
        (json!({ "grantDeptIdList": [1] }), ""),
    ] {
        let body = merged(json!({ "joinCorpId": "dingothercorp" }), &changes);
        let code = harness.code(Method::POST, &format!("{CONTROL}/multiOrgPermissions/auth"), body).await;
        assert_eq!(code, expected, "{changes}");
    }
    let path = format!("{CONTROL}/ownedOrganizations?userId=one");
    assert_eq!(harness.succeed_new(Method::GET, &path, Value::Null).await, json!({ "orgList": [] }));
    let path = format!("{CONTROL}/ownedOrganizations?userId=nobody");
    assert_eq!(harness.code(Method::GET, &path, Value::Null).await, "employee.not.exist");
}
