//! Normal group chats (pages A0738 to A0745), and an admin's hand on chats.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, unhurried};

const CREATE: &str = "/v1.0/im/group/create";
const UPDATE: &str = "/v1.0/im/group/update";
const ADMINS: &str = "/v1.0/im/subAdministrators";

async fn harness() -> Harness {
    let harness = Harness::with(unhurried()).await;
    for (userid, mobile) in [("anna", "13800000001"), ("bert", "13800000002"), ("carl", "13800000003")] {
        harness.create(userid, mobile).await;
    }
    harness
}

fn group() -> Value {
    json!({ "name": "Team", "owner": "anna", "useridlist": ["anna", "bert"] })
}

async fn chat_info(harness: &Harness, chat_id: &Value) -> Value {
    let chat_id = chat_id.as_str().expect("an id");
    harness.get_json(&format!("/chat/get?access_token={}&chatid={chat_id}", harness.token)).await
}

#[tokio::test]
async fn creation_is_refused_in_the_documented_words() {
    let harness = harness().await;
    for (changes, expected) in [
        (json!({ "name": null }), "parameter.invalid"),
        (json!({ "name": "x".repeat(21) }), "parameter.invalid"),
        (json!({ "owner": null }), "parameter.invalid"),
        (json!({ "owner": "nobody" }), "parameter.invalid"),
        (json!({ "useridlist": [] }), "parameter.invalid"),
        (json!({ "useridlist": ["nobody"] }), "parameter.invalid"),
        (json!({ "conversationTag": 0 }), "permession.checkFailed"),
        (json!({ "conversationTag": 1 }), "parameter.invalid"),
        (json!({ "ownerType": "ext" }), "parameter.invalid"),
        (json!({ "managementOptions": { "searchable": "x" } }), "parameter.invalid"),
        (json!({ "conversationTag": 2, "ownerType": "emp" }), ""),
        (json!({}), ""),
    ] {
        assert_eq!(harness.code(Method::POST, CREATE, merged(group(), &changes)).await, expected, "{changes}");
    }
    let chats = harness.state().await["chats"].as_array().map(Vec::len);
    assert_eq!(chats, Some(2), "the same call twice makes two chats");
}

#[tokio::test]
async fn a_chat_is_read_on_the_old_host_and_changed_on_the_new_one() {
    let harness = harness().await;
    let options = json!({ "icon": "@pic", "managementOptions": { "validationType": 1 } });
    let made = harness.succeed_new(Method::POST, CREATE, merged(group(), &options)).await;
    assert_eq!(made["conversationTag"], 2);
    let chat_id = &made["chatid"];
    let answer = chat_info(&harness, chat_id).await;
    let expected = json!({
        "chatid": chat_id, "name": "Team", "owner": "anna", "useridlist": ["anna", "bert"], "conversationTag": 2,
        "status": 1, "icon": "@pic", "validationType": 1, "mentionAllAuthority": 0, "showHistoryType": 0,
        "searchable": 0, "chatBannedType": 0, "managementType": 0
    });
    assert_eq!(answer, json!({ "errcode": 0, "errmsg": "ok", "chat_info": expected }));
    let path = format!("/v1.0/im/chat/{}/convertToOpenConversationId", chat_id.as_str().expect("an id"));
    let converted = harness.succeed_new(Method::POST, &path, Value::Null).await;
    assert_eq!(converted, json!({ "openConversationId": made["openConversationId"] }));

    for (changes, expected) in [
        (json!({ "chatid": null }), "parameter.invalid"),
        (json!({ "chatid": "chatnone" }), "parameter.invalid"),
        (json!({ "name": "x".repeat(21) }), "parameter.invalid"),
        (json!({ "owner": "carl" }), "parameter.invalid"),
        (json!({ "add_useridlist": ["nobody"] }), "parameter.invalid"),
        (json!({ "add_useridlist": ["carl"], "del_useridlist": ["carl"] }), "parameter.invalid"),
        (json!({ "del_useridlist": ["anna"] }), "parameter.invalid"),
        (json!({ "owner": "carl", "add_useridlist": ["carl"], "del_useridlist": ["anna"], "name": "Crew" }), ""),
    ] {
        let body = merged(json!({ "chatid": chat_id }), &changes);
        assert_eq!(harness.code(Method::POST, UPDATE, body).await, expected, "{changes}");
    }
    let info = chat_info(&harness, chat_id).await["chat_info"].clone();
    assert_eq!(
        (&info["name"], &info["owner"], &info["useridlist"]),
        (&json!("Crew"), &json!("carl"), &json!(["bert", "carl"]))
    );
    let admins = json!({ "openConversationId": made["openConversationId"], "userIds": ["bert"], "role": 2 });
    assert_eq!(harness.succeed_new(Method::POST, ADMINS, admins).await, json!({ "success": true }));
    harness.succeed("/topapi/v2/user/delete", json!({ "userid": "carl" })).await;
    let info = chat_info(&harness, chat_id).await["chat_info"].clone();
    assert_eq!((&info["owner"], &info["useridlist"]), (&json!("bert"), &json!(["bert"])), "administrators come first");
}

#[tokio::test]
async fn only_normal_chats_are_read_on_the_old_host() {
    let harness = harness().await;
    let scene = json!({ "title": "Scene", "template_id": "simulated-template", "owner_user_id": "anna" });
    let scene = harness.succeed_new(Method::POST, "/v1.0/im/sceneGroup/create", scene).await;
    let none = harness.get_json(&format!("/chat/get?access_token={}", harness.token)).await;
    assert_eq!(none["errcode"], 49000);
    assert_eq!(chat_info(&harness, &json!("chatnone")).await["errcode"], 40016);
    assert_eq!(chat_info(&harness, &scene["chat_id"]).await["errcode"], 40016);
    let path = "/v1.0/im/chat/chatnone/convertToOpenConversationId";
    assert_eq!(harness.code(Method::POST, path, Value::Null).await, "invalideChatId");
    let normal = harness.succeed_new(Method::POST, CREATE, group()).await;
    let query = json!({ "openConversationId": normal["openConversationId"] });
    assert_eq!(harness.code(Method::POST, "/v1.0/im/sceneGroups/query", query).await, "groupPermissionDenied");
    let update = json!({ "chatid": scene["chat_id"], "name": "x" });
    assert_eq!(harness.code(Method::POST, UPDATE, update).await, "permession.checkFailed");
}

#[tokio::test]
async fn an_admin_changes_chats_by_hand() {
    let harness = harness().await;
    let made = harness.succeed_new(Method::POST, CREATE, group()).await;
    for (changes, status) in [
        (json!({ "action": "update_chat", "title": "By hand" }), StatusCode::OK),
        (json!({ "action": "add_chat_members", "user_ids": ["carl"] }), StatusCode::OK),
        (json!({ "action": "add_chat_members", "user_ids": ["nobody"] }), StatusCode::BAD_REQUEST),
        (json!({ "action": "remove_chat_members", "user_ids": ["bert"] }), StatusCode::OK),
        (json!({ "action": "disband_chat" }), StatusCode::OK),
        (json!({ "action": "disband_chat", "chat_id": "chatnone" }), StatusCode::NOT_FOUND),
    ] {
        let body = merged(json!({ "chat_id": made["chatid"] }), &changes);
        assert_eq!(harness.control(Method::POST, "/edit", body).await.0, status, "{changes}");
    }
    let info = chat_info(&harness, &made["chatid"]).await["chat_info"].clone();
    let told = (&info["name"], &info["useridlist"], &info["status"]);
    assert_eq!(told, (&json!("By hand"), &json!(["anna", "carl"]), &json!(2)));
}
