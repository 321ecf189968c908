//! Scene groups on the new host (pages A0746 to A0755).

use reqwest::Method;
use rollcall_simulator::{App, Options, Organisation, Switches};
use serde_json::{Value, json};

use crate::harness::{APP_KEY, APP_SECRET, Harness, merged, unhurried};

const CREATE: &str = "/v1.0/im/sceneGroup/create";
const UPDATE: &str = "/v1.0/im/sceneGroup/update";
const ADD: &str = "/v1.0/im/sceneGroup/member/add";
const REMOVE: &str = "/v1.0/im/sceneGroup/member/delete";
const MEMBERS: &str = "/v1.0/im/sceneGroups/members/batchQuery";
const QUERY: &str = "/v1.0/im/sceneGroups/query";
const ADMINS: &str = "/v1.0/im/sceneGroups/subAdmins";
const DISBAND: &str = "/v1.0/im/chat/scenegroup/disband";

async fn harness(options: Options) -> Harness {
    let harness = Harness::with(options).await;
    for (userid, mobile) in [("anna", "13800000001"), ("bert", "13800000002"), ("carl", "13800000003")] {
        harness.create(userid, mobile).await;
    }
    harness
}

fn group() -> Value {
    json!({ "title": "Team", "template_id": "simulated-template", "owner_user_id": "anna" })
}

async fn made(harness: &Harness, changes: Value) -> String {
    let made = harness.succeed_new(Method::POST, CREATE, merged(group(), &changes)).await;
    assert!(made["chat_id"].as_str().is_some_and(|id| id.starts_with("chat")), "{made}");
    made["open_conversation_id"].as_str().expect("an id").to_owned()
}

async fn members(harness: &Harness, id: &str) -> Value {
    let body = json!({ "openConversationId": id, "maxResults": 1 });
    harness.succeed_new(Method::POST, MEMBERS, body).await["memberUserIds"].clone()
}

#[tokio::test]
async fn creation_is_refused_in_the_documented_words() {
    let harness = harness(unhurried()).await;
    for (changes, expected) in [
        (json!({ "title": null }), "parameter.invalid"),
        (json!({ "title": "x".repeat(31) }), "parameter.invalid"),
        (json!({ "template_id": null }), "parameter.invalid"),
        (json!({ "template_id": "gone" }), "groupTemplate.notFound"),
        (json!({ "owner_user_id": null }), "parameter.invalid"),
        (json!({ "owner_user_id": "nobody" }), "member.notFound"),
        (json!({ "user_ids": ["nobody"] }), "member.notFound"),
        (json!({ "user_ids": "bert" }), "parameter.invalid"),
        (json!({ "management_options": { "searchable": 2 } }), "parameter.invalid"),
        (json!({ "management_options": { "searchable": 1 }, "user_ids": ["bert"], "subadmin_ids": ["carl"] }), ""),
    ] {
        assert_eq!(harness.code(Method::POST, CREATE, merged(group(), &changes)).await, expected, "{changes}");
    }
    let state = harness.state().await;
    let chat = &state["chats"][0];
    assert_eq!(
        (state["chats"].as_array().map(Vec::len), &chat["members"]),
        (Some(1), &json!(["anna", "bert", "carl"]))
    );
    let settings = &chat["settings"];
    assert_eq!(
        (&settings["searchable"], &settings["group_live_switch"]),
        (&json!(1), &json!(1)),
        "others have defaults"
    );
}

#[tokio::test]
async fn a_chat_has_at_most_a_thousand_members_and_an_organisation_so_many_chats() {
    let organisation = Organisation { chat_limit: Some(1), ..Organisation::default() };
    let harness = Harness::with(Options { organisation, ..unhurried() }).await;
    for number in 0..1_001 {
        let person = json!({
            "action": "create_user", "userid": format!("u{number}"), "name": "Person",
            "mobile": format!("1390000{number:04}"), "dept_id_list": "1"
        });
        harness.post_control("/edit", person).await;
    }
    let people = |range: std::ops::Range<usize>| range.map(|number| format!("u{number}")).collect::<Vec<_>>();
    let with = |user_ids: Vec<String>| merged(group(), &json!({ "owner_user_id": "u0", "user_ids": user_ids }));
    assert_eq!(harness.code(Method::POST, CREATE, with(people(0..1_001))).await, "member.exceed");
    let made = harness.succeed_new(Method::POST, CREATE, with(people(0..1_000))).await;
    let id = made["open_conversation_id"].as_str().expect("an id");
    let body = json!({ "openConversationId": id, "maxResults": 10 });
    let page = harness.succeed_new(Method::POST, MEMBERS, body).await;
    let told = (page["memberUserIds"].as_array().map(Vec::len), &page["hasMore"], page.get("nextToken"));
    assert_eq!(told, (Some(1_000), &json!(false), None), "whatever the page size");
    let one_more = json!({ "open_conversation_id": id, "user_ids": ["u1000"] });
    assert_eq!(harness.code(Method::POST, ADD, one_more).await, "member.exceed");

    assert_eq!(
        harness.code(Method::POST, CREATE, with(Vec::new())).await,
        "system.error",
        "one chat is all there may be"
    );
    harness.succeed_new(Method::POST, DISBAND, json!({ "openConversationId": id })).await;
    assert_eq!(harness.code(Method::POST, CREATE, with(Vec::new())).await, "");
}

#[tokio::test]
async fn a_key_of_ones_own_makes_creation_repeatable() {
    for (outlives, expected) in [(true, true), (false, false)] {
        let switches = Switches { chat_uuid_outlives_chat: outlives, ..Switches::default() };
        let harness = harness(Options { switches, ..unhurried() }).await;
        let first = made(&harness, json!({ "uuid": "team-1" })).await;
        assert_eq!(made(&harness, json!({ "uuid": "team-1", "title": "Other" })).await, first);
        assert_ne!(made(&harness, json!({ "uuid": "team-2" })).await, first);
        assert_ne!(made(&harness, json!({})).await, first, "without a key every call makes a chat");
        harness.succeed_new(Method::POST, DISBAND, json!({ "openConversationId": first })).await;
        let again = made(&harness, json!({ "uuid": "team-1" })).await;
        assert_eq!(again == first, expected, "outlives={outlives}");
    }
}

#[tokio::test]
async fn people_come_and_go() {
    let harness = harness(unhurried()).await;
    let id = made(&harness, json!({ "user_ids": ["bert"] })).await;
    let carl = harness.succeed("/topapi/v2/user/get", json!({ "userid": "carl" })).await;
    let unionid = carl["unionid"].as_str().expect("a text");
    for (api, changes, expected, left) in [
        (ADD, json!({ "user_ids": [] }), "parameter.invalid", json!(["anna", "bert"])),
        (ADD, json!({ "user_ids": ["nobody"] }), "member.notFound", json!(["anna", "bert"])),
        (ADD, json!({ "user_ids": ["CARL", "bert"] }), "", json!(["anna", "bert", "carl"])),
        (REMOVE, json!({ "union_ids": [unionid] }), "", json!(["anna", "bert"])),
        (REMOVE, json!({ "user_ids": ["carl", "nobody"] }), "", json!(["anna", "bert"])),
        (REMOVE, json!({ "user_ids": ["anna"] }), "parameter.invalid", json!(["anna", "bert"])),
        (ADD, json!({ "union_ids": [unionid] }), "", json!(["anna", "bert", "carl"])),
        (
            ADD,
            json!({ "open_conversation_id": "cidnone", "user_ids": ["bert"] }),
            "parameter.invalid",
            json!(["anna", "bert", "carl"]),
        ),
    ] {
        let body = merged(json!({ "open_conversation_id": id }), &changes);
        assert_eq!(harness.code(Method::POST, api, body).await, expected, "{api} {changes}");
        assert_eq!(members(&harness, &id).await, left, "{api} {changes}");
    }
    harness.succeed("/topapi/v2/user/delete", json!({ "userid": "bert" })).await;
    assert_eq!(members(&harness, &id).await, json!(["anna", "carl"]), "a leaver leaves the chat too");
    harness.succeed("/topapi/v2/user/delete", json!({ "userid": "anna" })).await;
    let chat = harness.succeed_new(Method::POST, QUERY, json!({ "openConversationId": id })).await;
    assert_eq!((&chat["ownerUserId"], &chat["status"]), (&json!("carl"), &json!(1)), "the chat passes on");
    harness.succeed("/topapi/v2/user/delete", json!({ "userid": "carl" })).await;
    let chat = harness.succeed_new(Method::POST, QUERY, json!({ "openConversationId": id })).await;
    assert_eq!(chat["status"], 2, "a chat of nobody is none");
}

#[tokio::test]
async fn unknown_people_can_be_left_out_without_a_word() {
    let switches = Switches { unknown_chat_members_are_skipped: true, ..Switches::default() };
    let harness = harness(Options { switches, ..unhurried() }).await;
    let id = made(&harness, json!({ "user_ids": ["nobody", "bert"] })).await;
    assert_eq!(members(&harness, &id).await, json!(["anna", "bert"]));
}

#[tokio::test]
async fn a_chat_is_changed_asked_about_and_disbanded() {
    let harness = harness(unhurried()).await;
    let id = made(&harness, json!({ "user_ids": ["bert"], "icon": "@pic" })).await;
    for (changes, expected) in [
        (json!({ "title": "x".repeat(31) }), "parameter.invalid"),
        (json!({ "owner_user_id": "carl" }), "parameter.invalid"),
        (json!({ "owner_union_id": "nobody" }), "parameter.invalid"),
        (json!({ "management_options": { "validation_type": 7 } }), "parameter.invalid"),
        (json!({ "open_conversation_id": null }), "parameter.invalid"),
        (json!({ "title": "Crew", "owner_user_id": "bert", "management_options": { "validation_type": 1 } }), ""),
    ] {
        let body = merged(json!({ "open_conversation_id": id }), &changes);
        assert_eq!(harness.code(Method::POST, UPDATE, body).await, expected, "{changes}");
    }
    let chat = harness.succeed_new(Method::POST, QUERY, json!({ "openConversationId": id })).await;
    for (name, value) in [
        ("success", json!(true)),
        ("openConversationId", json!(id)),
        ("templateId", json!("simulated-template")),
        ("title", json!("Crew")),
        ("ownerUserId", json!("bert")),
        ("icon", json!("@pic")),
        ("status", json!(1)),
    ] {
        assert_eq!(chat[name], value, "{name}");
    }
    for (api, body, expected) in [
        (QUERY, json!({}), "paramBlank"),
        (QUERY, json!({ "openConversationId": "cidnone" }), "cidEncryptError"),
        (MEMBERS, json!({ "openConversationId": id }), "paramBlank"),
        (MEMBERS, json!({ "openConversationId": id, "maxResults": 0 }), "paramIllegal"),
        (DISBAND, json!({}), "paramIllegal"),
        (DISBAND, json!({ "openConversationId": "cidnone" }), "paramIllegal"),
        (DISBAND, json!({ "openConversationId": id }), ""),
        (DISBAND, json!({ "openConversationId": id }), "paramIllegal"),
        (UPDATE, json!({ "open_conversation_id": id, "title": "x" }), "parameter.invalid"),
    ] {
        assert_eq!(harness.code(Method::POST, api, body.clone()).await, expected, "{api} {body}");
    }
    let chat = harness.succeed_new(Method::POST, QUERY, json!({ "openConversationId": id })).await;
    assert_eq!(chat["status"], 2, "it can still be asked about");
}

#[tokio::test]
async fn administrators_are_members() {
    let harness = harness(unhurried()).await;
    let id = made(&harness, json!({ "user_ids": ["bert"] })).await;
    for (changes, expected) in [
        (json!({ "role": 1 }), "invalidParams"),
        (json!({ "openConversationId": "cidnone" }), "invalidOpenConversationId"),
        (json!({ "userIds": ["nobody"] }), "userNotExists"),
        (json!({ "userIds": ["carl"] }), "userNotInGroup"),
        (json!({ "userIds": vec!["bert"; 13] }), "invalidUserIds"),
        (json!({}), ""),
    ] {
        let body = merged(json!({ "openConversationId": id, "userIds": ["bert"], "role": 2 }), &changes);
        assert_eq!(harness.code(Method::PUT, ADMINS, body).await, expected, "{changes}");
    }
    assert_eq!(harness.state().await["chats"][0]["sub_admins"], json!(["bert"]));
    let body = json!({ "openConversationId": id, "userIds": ["bert"], "role": 3 });
    harness.succeed_new(Method::PUT, ADMINS, body.clone()).await;
    assert_eq!(harness.state().await["chats"][0]["sub_admins"], json!([]));
    harness.succeed_new(Method::POST, DISBAND, json!({ "openConversationId": id })).await;
    assert_eq!(harness.code(Method::PUT, ADMINS, body).await, "groupDisbang");
}

#[tokio::test]
async fn a_chat_belongs_to_its_app_and_its_owner_to_the_apps_range() {
    let apps = vec![App::with_everything(APP_KEY, APP_SECRET), App::with_everything("other-app", "secret")];
    let mut harness = harness(Options { apps, ..unhurried() }).await;
    let id = made(&harness, json!({})).await;
    let own_token = harness.token.clone();
    let other = harness.get_json("/gettoken?appkey=other-app&appsecret=secret").await;
    harness.token = other["access_token"].as_str().expect("a token").to_owned();
    for (api, body, expected) in [
        (QUERY, json!({ "openConversationId": id }), "groupTemplatePermissionDenied"),
        (UPDATE, json!({ "open_conversation_id": id, "title": "x" }), "permession.checkFailed"),
        (DISBAND, json!({ "openConversationId": id }), "paramIllegal"),
    ] {
        assert_eq!(harness.code(Method::POST, api, body).await, expected, "{api}");
    }
    harness.token = own_token;
    let east = harness.department("East", 1).await;
    let narrow = json!({ "key": APP_KEY, "secret": APP_SECRET, "range": [east] });
    harness.control(Method::PUT, "/apps", narrow).await;
    for (api, body) in [
        (CREATE, group()),
        (QUERY, json!({ "openConversationId": id })),
        (DISBAND, json!({ "openConversationId": id })),
    ] {
        assert_eq!(harness.code(Method::POST, api, body).await, "permession.checkFailed", "{api}");
    }
}
