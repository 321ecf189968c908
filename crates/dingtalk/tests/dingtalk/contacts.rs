//! External contacts.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use rollcall_provisioning::entity::EntityKind::Contact;
use rollcall_provisioning::plan::Action;
use serde_json::{Value, json};

const CREATE: &str = "/topapi/extcontact/create";
const UPDATE: &str = "/topapi/extcontact/update";
const DELETE: &str = "/topapi/extcontact/delete";
const GET: &str = "/topapi/extcontact/get";
const LIST: &str = "/topapi/extcontact/list";

async fn organisation() -> World {
    World::with(|settings| {
        settings.contact_label_ids = vec![9, 7];
        settings.contact_follower = Some("boss".into());
    })
    .await
}

fn supplier() -> Action {
    create(Contact, None, json!({"name": "李四", "mobile": "+65-91234567", "company": "Acme", "work_place": "新加坡"}))
}

fn details() -> Value {
    json!({
        "user_id": "c1", "name": "李四", "mobile": "91234567", "state_code": 65, "label_ids": ["9", 7],
        "follower_user_id": "boss", "company_name": "Acme", "title": "", "share_dept_ids": [1], "share_user_ids": ["u2"]
    })
}

#[tokio::test]
async fn a_contact_is_created_with_what_the_settings_say() {
    let world = organisation().await;
    world.answer(CREATE, &json!({"errcode": 0, "userid": "c1"})).await;
    assert_eq!(world.dingtalk.apply(&supplier()).await.expect("created").remote_id, "c1");
    assert_eq!(
        world.body(CREATE).await,
        r#"{"contact":{"name":"李四","mobile":"91234567","state_code":"65","label_ids":[9,7],"follower_user_id":"boss","address":"新加坡","company_name":"Acme"}}"#
    );
    let after = world.dingtalk.after(&std::collections::BTreeMap::new(), &supplier());
    assert_eq!((&after["labels"], &after["follower"]), (&json!([7, 9]), &json!("boss")), "as it is read");

    let named = json!({"name": "a", "mobile": "13800000001", "labels": [1], "follower": "u1"});
    let world = World::new().await;
    world.answer(CREATE, &json!({"errcode": 0, "userid": "c2"})).await;
    world.dingtalk.apply(&create(Contact, None, named)).await.expect("created");
    assert_eq!(
        world.body(CREATE).await,
        r#"{"contact":{"name":"a","mobile":"13800000001","state_code":"86","label_ids":[1],"follower_user_id":"u1"}}"#
    );
    for (attributes, code) in [
        (json!({"name": "a", "mobile": "1"}), "labels_missing"),
        (json!({"name": "a", "mobile": "1", "labels": [1]}), "follower_missing"),
        (json!({"name": "a", "labels": [1], "follower": "u1"}), "mobile_missing"),
        (json!({"name": "a", "mobile": "1", "labels": ["x"], "follower": "u1"}), "labels_malformed"),
    ] {
        let world = World::new().await;
        let error = world.dingtalk.apply(&create(Contact, None, attributes)).await.expect_err(code);
        assert_eq!(error.code, code);
        assert!(world.paths().await.is_empty(), "{code} cost a call");
    }
}

#[tokio::test]
async fn an_update_sends_the_whole_contact_but_the_number() {
    let world = organisation().await;
    world.answer(GET, &json!({"errcode": 0, "result": details()})).await;
    world.accept(&[UPDATE]).await;
    let change = update(Contact, "c1", json!({"title": "采购", "company": null}));
    world.dingtalk.apply(&change).await.expect("updated");
    assert_eq!(
        world.body(UPDATE).await,
        r#"{"contact":{"user_id":"c1","name":"李四","label_ids":[9,7],"follower_user_id":"boss","title":"采购","company_name":"","share_dept_ids":[1],"share_user_ids":["u2"]}}"#
    );
    let error = world.dingtalk.apply(&update(Contact, "c1", json!({"mobile": "1"}))).await.expect_err("never");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Conflict, "mobile_unchangeable"));
}

#[tokio::test]
async fn contacts_are_read_and_found_by_their_number() {
    let expected = json!({
        "account_kind": "contact", "name": "李四", "mobile": "+65-91234567", "labels": [7, 9], "follower": "boss", "company": "Acme"
    });
    let world = World::new().await;
    world.answer(GET, &json!({"errcode": 0, "result": details()})).await;
    let contact = world.dingtalk.entity(Contact, "c1").await.expect("read").expect("there");
    assert_eq!(json!(contact.attributes), expected);

    // A full page may be followed by another one; nothing says so.
    let full: Vec<Value> = (0..100).map(|n| json!({"user_id": format!("x{n}"), "name": "a", "mobile": "1"})).collect();
    let pages = vec![json!({"errcode": 0, "results": full}), json!({"errcode": 0, "results": [details()]})];
    world.answer_in_turn(LIST, pages).await;
    let found = world.dingtalk.contact_by_mobile("+65-91234567").await.expect("read").expect("found");
    assert_eq!((found.remote_id.as_str(), json!(found.attributes)), ("c1", expected));
    let bodies = world.received(LIST).await;
    assert_eq!(bodies[0].body, br#"{"size":100,"offset":0}"#);
    assert_eq!(bodies[1].body, br#"{"size":100,"offset":100}"#);
    let last = world.dingtalk.contacts(None).await.expect("a page");
    assert_eq!((last.items.len(), last.next), (1, None));

    let world = World::new().await;
    world.answer(GET, &json!({"errcode": 33012, "errmsg": "…"})).await;
    assert_eq!(world.dingtalk.entity(Contact, "c1").await.expect("an answer"), None);
    for answer in [json!({"errcode": 0}), json!({"errcode": 0, "result": {}, "results": [{}]}), json!({"errcode": -1})]
    {
        let world = World::new().await;
        world.answer(GET, &answer).await;
        world.answer(LIST, &answer).await;
        world.dingtalk.entity(Contact, "c1").await.expect_err("not an absence");
        world.dingtalk.contacts(None).await.expect_err("not an empty list");
        world.dingtalk.contact_by_mobile("1").await.expect_err("not an absence");
    }
}

#[tokio::test]
async fn a_repeated_deletion_is_a_success() {
    for answer in [json!({"errcode": 0}), json!({"errcode": 33012})] {
        let world = World::new().await;
        world.answer(DELETE, &answer).await;
        world.dingtalk.apply(&delete(Contact, "c1")).await.expect("gone");
        assert_eq!(world.body(DELETE).await, r#"{"user_id":"c1"}"#);
    }
}

#[tokio::test]
async fn what_stops_contacts_does_not_stop_people() {
    for (code, class, attribute) in [
        (22005, ErrorClass::Conflict, Some("mobile")),
        (60200, ErrorClass::Conflict, Some("mobile")),
        (60204, ErrorClass::Invalid, Some("labels")),
        (33012, ErrorClass::MissingReference, Some("follower")),
        (60203, ErrorClass::KindStopped, None),
        (60205, ErrorClass::KindStopped, None),
        (60011, ErrorClass::KindStopped, None),
        (40001, ErrorClass::KindStopped, None),
        (-1, ErrorClass::Transient, None),
    ] {
        let world = organisation().await;
        world.answer(CREATE, &json!({"errcode": code, "errmsg": "…"})).await;
        let error = world.dingtalk.apply(&supplier()).await.expect_err("refused");
        assert_eq!((error.class, error.attribute), (class, attribute), "{code}");
    }
}
