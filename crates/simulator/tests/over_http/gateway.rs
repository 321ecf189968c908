//! Tokens, the bodies of gateway errors, the order of its checks, forms, and rate limits.

use reqwest::{Method, StatusCode};
use rollcall_simulator::{App, Options, Switches};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{APP_KEY, APP_SECRET, Harness, TOKEN_HEADER, person};

const AUTH_INFOS: &str = "/v1.0/contact/organizations/authInfos";
const GET_USER: &str = "/topapi/v2/user/get";

async fn new_host(harness: &Harness, method: Method, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let request = harness.request(method, path).json(body);
    let request = match token {
        Some(token) => request.header(TOKEN_HEADER, token),
        None => request,
    };
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_token_is_renewed_until_it_expires_or_is_revoked() {
    let harness = Harness::start().await;
    let advance = async |ms: u64| harness.post_control("/clock", json!({ "advance_ms": ms })).await;
    let first = harness.token.clone();
    advance(7_000_000).await;
    assert_eq!(harness.fresh_token().await, first, "the same token, renewed");
    advance(7_000_000).await;
    assert_eq!(harness.errcode("/topapi/user/listadmin", json!({})).await, 0, "it lives on");
    advance(7_200_000).await;
    assert_eq!(harness.errcode("/topapi/user/listadmin", json!({})).await, 88);
    let second = harness.fresh_token().await;
    assert_ne!(second, first);
    harness.post_control("/tokens/revoke", Value::Null).await;
    assert_ne!(harness.fresh_token().await, second);
}

#[tokio::test]
async fn each_way_to_a_token_answers_in_its_own_words() {
    let harness = Harness::start().await;
    for (query, expected) in [
        (format!("appkey={APP_KEY}&appsecret={APP_SECRET}"), 0),
        (format!("appkey={APP_KEY}&appsecret=wrong"), 40096),
        ("appkey=unknown&appsecret=wrong".to_owned(), 40096),
        (format!("appkey={APP_KEY}"), 40035),
    ] {
        let answer = harness.get_json(&format!("/gettoken?{query}")).await;
        assert_eq!(answer["errcode"], expected, "{query}");
        assert_eq!(answer.get("access_token").is_some(), expected == 0);
        assert_eq!(answer.get("expires_in").and_then(Value::as_i64), (expected == 0).then_some(7_200));
    }
    let form = harness.request(Method::POST, "/gettoken").form(&[("appkey", APP_KEY), ("appsecret", APP_SECRET)]);
    let answer: Value = form.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!((&answer["errcode"], &answer["errmsg"]), (&json!(40035), &json!("缺少参数 corpid or appkey")));

    let corp_token = "/v1.0/oauth2/dingsimulatedcorp/token";
    let client = json!({ "client_id": APP_KEY, "client_secret": APP_SECRET, "grant_type": "client_credentials" });
    for (path, body, status, code) in [
        ("/v1.0/oauth2/accessToken", json!({ "appKey": APP_KEY, "appSecret": APP_SECRET }), 200, None),
        (
            "/v1.0/oauth2/accessToken",
            json!({ "appKey": APP_KEY, "appSecret": "x" }),
            400,
            Some("invalidClientIdOrSecret"),
        ),
        (corp_token, client.clone(), 200, None),
        (
            corp_token,
            json!({ "client_id": "x", "client_secret": "x", "grant_type": "client_credentials" }),
            400,
            Some("invalid.client"),
        ),
        (corp_token, json!({ "client_id": APP_KEY, "client_secret": APP_SECRET }), 400, Some("unsupported.grant.type")),
        ("/v1.0/oauth2/junk/token", client, 500, Some("unknownError")),
    ] {
        let (got, answer) = new_host(&harness, Method::POST, path, None, &body).await;
        assert_eq!((got, answer.get("code").and_then(Value::as_str)), (status, code), "{path} {body}");
        if status == 200 {
            let token = answer.get("accessToken").or(answer.get("access_token"));
            assert_eq!(token, Some(&json!(harness.token)), "one token for both hosts: {answer}");
        } else {
            assert!(answer["requestid"].is_string() && answer["message"].is_string(), "{answer}");
        }
    }
}

#[tokio::test]
async fn gateway_errors_have_the_documented_bodies() {
    let harness = Harness::start().await;
    let post = async |path: &str, body: &Value| -> Value {
        let response = harness.request(Method::POST, path).json(body).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.expect("JSON")
    };
    let mut answer = post(&format!("{GET_USER}?access_token=junk"), &json!({})).await;
    let request_id = answer["request_id"].take();
    let length = request_id.as_str().expect("a text").len();
    assert!((11..=13).contains(&length), "{request_id}");
    let expected = json!({
        "errcode": 88, "sub_code": "40014", "sub_msg": "不合法的access_token",
        "errmsg": "ding talk error[subcode=40014,submsg=不合法的access_token]", "request_id": null
    });
    assert_eq!(answer, expected);
    let answer = post(GET_USER, &json!({ "access_token": harness.token })).await;
    assert_eq!((&answer["sub_code"], &answer["sub_msg"]), (&json!("40000"), &json!("access_token is blank")));
    let answer = harness.get_json("/department/list?access_token=junk").await;
    assert_eq!(answer["errcode"], 40014, "paths from before the gateway answer bare");
    let answer = post("/topapi/v2/user/notexist", &json!({})).await;
    assert_eq!(answer["errcode"], 22);
    assert_eq!(answer["sub_msg"], "不合法ApiName，ApiName = dingtalk.oapi.v2.user.notexist");

    for (path, token, status, code) in [
        (AUTH_INFOS, None, 400, "AuthenticationFailed.MissingParameter"),
        (AUTH_INFOS, Some("junk"), 400, "InvalidAuthentication"),
        ("/v1.0/contact/nothing", Some("junk"), 404, "InvalidAction.NotFound"),
    ] {
        let (got, answer) = new_host(&harness, Method::GET, path, token, &json!({})).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{path}");
    }
    let query = format!("{AUTH_INFOS}?access_token={}", harness.token);
    let (got, _) = new_host(&harness, Method::GET, &query, None, &json!({})).await;
    assert_eq!(got, 400, "the new host looks at its header only");
    let (got, answer) = new_host(&harness, Method::GET, AUTH_INFOS, Some(&harness.token), &json!({})).await;
    assert_eq!((got, &answer["authLevel"]), (200, &json!(0)));
    let request = harness.request(Method::GET, "/contact/x").header("host", "api.dingtalk.com");
    let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(answer, json!({ "errcode": 404, "errmsg": "请求的URI地址不存在" }));
}

#[tokio::test]
async fn a_new_scope_reaches_only_new_tokens() {
    let scopes = ["qyapi_base", "qyapi_get_member"].map(str::to_owned).into();
    let app = App { scopes, ..App::with_everything(APP_KEY, APP_SECRET) };
    let mut harness = Harness::with(Options { apps: vec![app], ..Options::default() }).await;
    let create = "/topapi/v2/user/create";
    let answer = harness.call(create, person("anna", "13800000001")).await;
    assert_eq!((&answer["errcode"], &answer["sub_code"]), (&json!(88), &json!("60011")));
    let text = answer["errmsg"].as_str().expect("a text");
    assert!(text.contains("requiredScopes=[qyapi_manage_addresslist]"), "{text}");
    let (status, answer) = new_host(&harness, Method::GET, AUTH_INFOS, Some(&harness.token), &json!({})).await;
    assert_eq!((status, &answer["code"]), (403, &json!("Forbidden.AccessDenied.AccessTokenPermissionDenied")));
    assert_eq!(answer["accessdenieddetail"], json!({ "requiredScopes": ["Contact.Org.Read"] }));

    harness.control(Method::PUT, "/apps", json!({ "key": APP_KEY, "secret": APP_SECRET })).await;
    harness.token = harness.fresh_token().await;
    assert_eq!(harness.errcode(create, person("anna", "13800000001")).await, 88, "the renewed token is the old one");
    harness.post_control("/clock", json!({ "advance_ms": 7_200_000 })).await;
    harness.token = harness.fresh_token().await;
    assert_eq!(harness.errcode(create, person("anna", "13800000001")).await, 0);
}

#[tokio::test]
async fn the_whitelist_names_the_caller() {
    let app = App { ip_whitelist: Some(["10.0.0.1".to_owned()].into()), ..App::with_everything(APP_KEY, APP_SECRET) };
    let harness = Harness::with(Options { apps: vec![app], ..Options::default() }).await;
    let answer = harness.call(GET_USER, json!({ "userid": "x" })).await;
    assert_eq!(answer["sub_code"], "60020");
    let text = answer["sub_msg"].as_str().expect("a text");
    assert!(text.contains(&format!("request ip=127.0.0.1 appKey({APP_KEY})")), "{text}");
}

#[tokio::test]
async fn tokens_can_be_bound_to_their_host() {
    let switches = Switches { tokens_are_interchangeable: false, ..Switches::default() };
    let harness = Harness::with(Options { switches, ..Options::default() }).await;
    let (status, _) = new_host(&harness, Method::GET, AUTH_INFOS, Some(&harness.token), &json!({})).await;
    assert_eq!(status, 400);
    let body = json!({ "appKey": APP_KEY, "appSecret": APP_SECRET });
    let (_, answer) = new_host(&harness, Method::POST, "/v1.0/oauth2/accessToken", None, &body).await;
    let token = answer["accessToken"].as_str().expect("a token");
    assert_ne!(token, harness.token);
    let (status, _) = new_host(&harness, Method::GET, AUTH_INFOS, Some(token), &json!({})).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn bodies_come_as_json_or_as_forms() {
    let harness = Harness::start().await;
    let create = "/topapi/v2/user/create";
    let form = [
        ("access_token", harness.token.as_str()),
        ("userid", "anna"),
        ("name", "张安娜"),
        ("mobile", "13800000001"),
        ("dept_id_list", "1"),
        ("hide_mobile", "true"),
        ("extension", r#"{"a":"1"}"#),
        ("dept_order_list", r#"[{"dept_id":1,"order":5}]"#),
    ];
    let response = harness.request(Method::POST, create).form(&form).send().await.expect("an answer");
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["errcode"], 0, "{answer}");
    let anna = harness.succeed(GET_USER, json!({ "userid": "anna" })).await;
    assert_eq!((&anna["name"], &anna["hide_mobile"]), (&json!("张安娜"), &json!(true)));
    assert_eq!(anna["dept_order_list"], json!([{ "dept_id": 1, "order": 5 }]));

    for (body, expected) in [
        (r#"{"userid":"anna","title":"\u5f20"}"#, 40033),
        (r#"{"userid":"anna""#, 47001),
        (r#"["anna"]"#, 47001),
        ("", 400_002),
    ] {
        let path = format!("/topapi/v2/user/update?access_token={}", harness.token);
        let request = harness.request(Method::POST, &path).header("content-type", "application/json").body(body);
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(answer["errcode"], expected, "{body}");
    }
    let answer = harness.get_json(&format!("{GET_USER}?access_token={}&userid=anna", harness.token)).await;
    assert_eq!(answer["errcode"], 43002);
}

#[tokio::test]
async fn no_sliding_second_admits_more_than_the_limit() {
    const QPS: usize = 3;
    let harness = Harness::with(Options { qps: QPS, ..Options::default() }).await;
    let mut calls = JoinSet::new();
    for _ in 0..40 {
        let path = format!("{GET_USER}?access_token={}", harness.token);
        calls.spawn(harness.request(Method::POST, &path).json(&json!({ "userid": "x" })).send());
    }
    while let Some(call) = calls.join_next().await {
        let answer: Value = call.expect("no panic").expect("an answer").json().await.expect("JSON");
        let code = answer.get("sub_code").cloned().unwrap_or(answer["errcode"].clone());
        assert!([json!(60121), json!("90018")].contains(&code), "{answer}");
    }
    let log = harness.calls(GET_USER).await;
    let at = |throttled: bool| -> Vec<u64> {
        log.iter().filter(|call| call["throttled"] == throttled).filter_map(|call| call["at_ms"].as_u64()).collect()
    };
    let (mut admitted, refused) = (at(false), at(true));
    admitted.sort_unstable();
    assert!(!refused.is_empty());
    assert!(admitted.windows(QPS + 1).all(|calls| calls[QPS] - calls[0] >= 1_000), "{admitted:?}");
    let stats = harness.get_json("/_simulator/stats").await;
    let api = &stats["apis"][GET_USER];
    assert_eq!((&api["calls"], &api["throttled"]), (&json!(40), &json!(refused.len())));
    assert!(api["highest_per_second"].as_u64() > Some(3), "{api}");

    harness.post_control("/clock", json!({ "advance_ms": 1_000 })).await;
    assert_eq!(harness.errcode(GET_USER, json!({ "userid": "x" })).await, 60121, "a second later all is free again");
    let other = harness.errcode("/topapi/user/listadmin", json!({})).await;
    assert_eq!(other, 0, "another API has a window of its own");
}

#[tokio::test]
async fn throttling_can_come_bare() {
    let switches = Switches { wraps_throttling: false, ..Switches::default() };
    let harness = Harness::with(Options { switches, ..Options::default() }).await;
    harness.fault(json!({ "kind": { "throttled": "app" }, "times": 1 })).await;
    harness.fault(json!({ "kind": { "throttled": "platform" } })).await;
    assert_eq!(harness.errcode(GET_USER, json!({ "userid": "x" })).await, 90018);
    assert_eq!(harness.errcode(GET_USER, json!({ "userid": "x" })).await, 90002);
    let (status, answer) = new_host(&harness, Method::GET, AUTH_INFOS, Some(&harness.token), &json!({})).await;
    assert_eq!((status, &answer["code"]), (403, &json!("Forbidden.AccessDenied.QpsLimitForApi")));
}

#[tokio::test]
async fn an_address_over_its_budget_sees_a_page_until_the_ban_ends() {
    let harness = Harness::with(Options { ip_budget: 3, ban_seconds: 60, ..Options::default() }).await;
    for _ in 0..2 {
        assert_eq!(harness.errcode("/topapi/user/listadmin", json!({})).await, 0);
    }
    for advance_ms in [0, 30_000] {
        harness.post_control("/clock", json!({ "advance_ms": advance_ms })).await;
        let response = harness.try_call("/topapi/user/listadmin", json!({})).await.expect("an answer");
        assert_eq!(response.headers()["content-type"], "text/html;charset=UTF-8");
        assert!(response.text().await.expect("a page").starts_with("<!DOCTYPE html>"));
    }
    harness.post_control("/clock", json!({ "advance_ms": 31_000 })).await;
    assert_eq!(harness.errcode("/topapi/user/listadmin", json!({})).await, 0);
}
