//! Group chats: scene groups from a template, normal groups without one.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use rollcall_provisioning::entity::EntityKind::{Account, Chat};
use rollcall_provisioning::plan::Action;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

const CREATE: &str = "/v1.0/im/group/create";
const UPDATE: &str = "/v1.0/im/group/update";
const GET: &str = "/chat/get";
const SCENE_CREATE: &str = "/v1.0/im/sceneGroup/create";
const SCENE_UPDATE: &str = "/v1.0/im/sceneGroup/update";
const SCENE_ADD: &str = "/v1.0/im/sceneGroup/member/add";
const SCENE_REMOVE: &str = "/v1.0/im/sceneGroup/member/delete";
const SCENE_GET: &str = "/v1.0/im/sceneGroups/query";
const SCENE_MEMBERS: &str = "/v1.0/im/sceneGroups/members/batchQuery";
const DISBAND: &str = "/v1.0/im/chat/scenegroup/disband";
/// The remote id of a scene group.
const SCENE: &str = "chat7/cid+7/x==";

async fn with_template() -> World {
    World::with(|settings| settings.chat_template_id = Some("tpl-1".into())).await
}

fn project() -> Action {
    create(Chat, Some("0198-key"), json!({"name": "项目", "owner": "boss"}))
}

fn members(adding: bool, remote_id: &str) -> Action {
    let (kind, remote_id, members) = (Chat, remote_id.to_owned(), vec!["u1".to_owned(), "u2".to_owned()]);
    if adding {
        Action::AddMembers { kind, remote_id, members }
    } else {
        Action::RemoveMembers { kind, remote_id, members }
    }
}

#[tokio::test]
async fn a_scene_group_can_be_created_twice() {
    let world = with_template().await;
    world.answer(SCENE_CREATE, &json!({"open_conversation_id": "cid+7/x==", "chat_id": "chat7"})).await;
    assert_eq!(world.dingtalk.apply(&project()).await.expect("created").remote_id, SCENE);
    assert_eq!(
        world.body(SCENE_CREATE).await,
        r#"{"title":"项目","template_id":"tpl-1","owner_user_id":"boss","uuid":"0198-key"}"#
    );
    assert!(world.dingtalk.repeatable(Chat) && world.dingtalk.repeatable(Account));
    assert_eq!(world.dingtalk.schema().attribute(Chat, "name").expect("known").max_chars, Some(30));
}

#[tokio::test]
async fn a_normal_group_cannot() {
    let world = World::new().await;
    world.answer(CREATE, &json!({"conversationTag": 2, "openConversationId": "cid7", "chatid": "chat7"})).await;
    assert_eq!(world.dingtalk.apply(&project()).await.expect("created").remote_id, "chat7");
    assert_eq!(world.body(CREATE).await, r#"{"name":"项目","owner":"boss","useridlist":["boss"]}"#);
    assert!(!world.dingtalk.repeatable(Chat));
    assert_eq!(world.dingtalk.schema().attribute(Chat, "name").expect("known").max_chars, Some(20));
    world.dingtalk.by_name(Chat, None, "项目").await.expect_err("nothing lists chats");
    world.respond(CREATE, ResponseTemplate::new(500)).await;
    for answer in [json!({}), json!({"openConversationId": "cid7"})] {
        let world = World::new().await;
        world.answer(CREATE, &answer).await;
        assert!(world.dingtalk.apply(&project()).await.expect_err("no id").outcome_unknown, "it may be there");
    }
}

#[tokio::test]
async fn what_is_sent_of_each_change() {
    for (action, at, expected) in [
        (update(Chat, "chat7", json!({"name": "新"})), UPDATE, r#"{"chatid":"chat7","name":"新"}"#),
        (update(Chat, "chat7", json!({"owner": "u1"})), UPDATE, r#"{"chatid":"chat7","owner":"u1"}"#),
        (members(true, "chat7"), UPDATE, r#"{"chatid":"chat7","add_useridlist":["u1","u2"]}"#),
        (members(false, "chat7"), UPDATE, r#"{"chatid":"chat7","del_useridlist":["u1","u2"]}"#),
        (
            update(Chat, SCENE, json!({"name": "新", "owner": "u1"})),
            SCENE_UPDATE,
            r#"{"open_conversation_id":"cid+7/x==","title":"新","owner_user_id":"u1"}"#,
        ),
        (members(true, SCENE), SCENE_ADD, r#"{"open_conversation_id":"cid+7/x==","user_ids":["u1","u2"]}"#),
        (members(false, SCENE), SCENE_REMOVE, r#"{"open_conversation_id":"cid+7/x==","user_ids":["u1","u2"]}"#),
        (delete(Chat, SCENE), DISBAND, r#"{"openConversationId":"cid+7/x=="}"#),
    ] {
        // The id says what the chat is, whatever the settings have become.
        let world = World::new().await;
        world.answer(at, &json!({"success": true})).await;
        world.dingtalk.apply(&action).await.expect(expected);
        assert_eq!(world.body(at).await, expected);
        let world = World::new().await;
        world.answer(at, &json!({"success": false})).await;
        let error = world.dingtalk.apply(&action).await.expect_err("not done");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "denied"));
    }
    let world = World::new().await;
    let error = world.dingtalk.apply(&delete(Chat, "chat7")).await.expect_err("nothing dissolves it");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Forbidden, "chat_undissolvable"));
    assert!(world.paths().await.is_empty());
    world.respond(DISBAND, ResponseTemplate::new(400).set_body_json(json!({"code": "chat.notExist"}))).await;
    world.dingtalk.apply(&delete(Chat, SCENE)).await.expect("it is gone already");
}

#[tokio::test]
async fn chats_are_read_by_their_chatid() {
    let info = |status: Value| {
        json!({"errcode": 0, "chat_info": {
            "name": "项目", "owner": "boss", "useridlist": ["boss", "u1"], "conversationTag": 2, "status": status
        }})
    };
    for (id, status, there) in [("chat7", json!(1), true), ("chat7", json!("1"), true), ("chat7", json!(2), false)] {
        let world = World::new().await;
        world.answer(GET, &info(status)).await;
        let found = world.dingtalk.entity(Chat, id).await.expect("read");
        assert_eq!(found.is_some(), there);
        if let Some(chat) = found {
            assert_eq!(json!(chat.attributes), json!({"name": "项目", "owner": "boss"}));
        }
        assert_eq!(world.received(GET).await[0].url.query(), Some("chatid=chat7&access_token=t0ken"));
        assert_eq!(world.received(GET).await[0].method.as_str(), "GET");
    }
    let world = World::new().await;
    world.answer(GET, &info(json!(1))).await;
    let page = world.dingtalk.members(Chat, "chat7", None).await.expect("a page");
    assert_eq!((page.items, page.next), (vec!["boss".to_owned(), "u1".to_owned()], None));
    for code in [34001, 34013] {
        let world = World::new().await;
        world.answer(GET, &json!({"errcode": code, "errmsg": "…"})).await;
        assert_eq!(world.dingtalk.entity(Chat, "chat7").await.expect("an answer"), None);
        world.dingtalk.members(Chat, "chat7", None).await.expect_err("not an empty list");
    }
    for answer in [json!({"errcode": 0}), json!({"errcode": 0, "chat_info": {}}), json!({"errcode": -1})] {
        let world = World::new().await;
        world.answer(GET, &answer).await;
        world.dingtalk.entity(Chat, "chat7").await.expect_err("not an absence");
        world.dingtalk.members(Chat, "chat7", None).await.expect_err("not an empty list");
    }
}

/// The older host answers 40016 to the chatid of a scene group.
#[tokio::test]
async fn scene_groups_are_read_by_their_conversation() {
    for (answer, there) in [
        (json!({"success": true, "title": "项目", "ownerUserId": "boss", "status": 1}), Some(true)),
        (json!({"success": true, "title": "项目", "ownerUserId": "boss", "status": 2}), Some(false)),
        (json!({"success": true}), None),
    ] {
        let world = World::new().await;
        world.answer(SCENE_GET, &answer).await;
        let found = world.dingtalk.entity(Chat, SCENE).await;
        assert_eq!(found.as_ref().ok().map(Option::is_some), there, "{answer}");
        if let Ok(Some(chat)) = found {
            assert_eq!(chat.remote_id, SCENE);
            assert_eq!(json!(chat.attributes), json!({"name": "项目", "owner": "boss"}));
        }
        assert_eq!(world.body(SCENE_GET).await, r#"{"openConversationId":"cid+7/x=="}"#);
    }
}

#[tokio::test]
async fn members_of_a_scene_group() {
    let world = World::new().await;
    let first = json!({"memberUserIds": ["boss"], "hasMore": true, "nextToken": "t1"});
    let last = json!({"memberUserIds": ["u1"], "hasMore": false});
    world.answer_in_turn(SCENE_MEMBERS, vec![first, last]).await;
    let first = world.dingtalk.members(Chat, SCENE, None).await.expect("a page");
    let last = world.dingtalk.members(Chat, SCENE, first.next.as_ref()).await.expect("a page");
    assert_eq!((first.items, last.items, last.next), (vec!["boss".to_owned()], vec!["u1".to_owned()], None));
    let bodies = world.received(SCENE_MEMBERS).await;
    assert_eq!(bodies[0].body, br#"{"openConversationId":"cid+7/x==","maxResults":1000}"#);
    assert_eq!(bodies[1].body, br#"{"openConversationId":"cid+7/x==","maxResults":1000,"nextToken":"t1"}"#);
    for answer in [json!({}), json!({"memberUserIds": ["a"], "hasMore": true})] {
        let world = World::new().await;
        world.answer(SCENE_MEMBERS, &answer).await;
        world.dingtalk.members(Chat, SCENE, None).await.expect_err("not a page");
    }
}

#[tokio::test]
async fn what_stops_chats_does_not_stop_people() {
    let quota = json!({"code": "Forbidden.AccessDenied.ApiCountLimitForOrg", "message": "…"});
    let scope = json!({
        "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        "accessdenieddetail": {"requiredScopes": ["qyapi_chat_manage"]}
    });
    let template = json!({"code": "groupTemplate.permessionDenied.appNotInstalled"});
    for (status, body) in [(403, quota), (403, scope), (400, template)] {
        let world = with_template().await;
        world.respond(SCENE_CREATE, ResponseTemplate::new(status).set_body_json(&body)).await;
        let error = world.dingtalk.apply(&project()).await.expect_err("refused");
        assert_eq!(error.class, ErrorClass::KindStopped, "{body}");
        assert!(error.retry_after.is_some(), "it says when to come back");
        assert!(world.budget.pauses().is_empty(), "other calls go on");
    }
    for (body, class, attribute) in [
        (json!({"code": "permession.checkFailed"}), ErrorClass::Forbidden, Some("owner")),
        (json!({"code": "member.notFound"}), ErrorClass::MissingReference, Some("owner")),
        (json!({"code": "member.exceed"}), ErrorClass::Invalid, None),
        (json!({"code": "parameter.invalid"}), ErrorClass::Invalid, None),
    ] {
        let world = with_template().await;
        world.respond(SCENE_CREATE, ResponseTemplate::new(400).set_body_json(&body)).await;
        let error = world.dingtalk.apply(&project()).await.expect_err("refused");
        assert_eq!((error.class, error.attribute), (class, attribute), "{body}");
    }
}

#[tokio::test]
async fn whoever_is_not_in_the_chat_need_not_be_removed() {
    let world = World::new().await;
    let answers = vec![json!({"errcode": 60124}), json!({"success": true}), json!({"errcode": 60124})];
    world.answer_in_turn(UPDATE, answers).await;
    world.dingtalk.apply(&members(false, "chat7")).await.expect("removed");
    assert_eq!(world.received(UPDATE).await.len(), 3, "together, then one by one");
}
