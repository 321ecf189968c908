//! Roles: found or made in their group, given to people and taken from them in batches.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use rollcall_provisioning::entity::EntityKind::Role;
use rollcall_provisioning::plan::Action;
use serde_json::{Value, json};
use wiremock::matchers::{body_string_contains, path};
use wiremock::{Mock, ResponseTemplate};

const LIST: &str = "/topapi/role/list";
const GROUP_CREATE: &str = "/role/add_role_group";
const CREATE: &str = "/role/add_role";
const UPDATE: &str = "/role/update_role";
const DELETE: &str = "/topapi/role/deleterole";
const GET: &str = "/topapi/role/getrole";
const GET_GROUP: &str = "/topapi/role/getrolegroup";
const MEMBERS: &str = "/topapi/role/simplelist";
const ADD: &str = "/topapi/role/addrolesforemps";
const REMOVE: &str = "/topapi/role/removerolesforemps";

fn groups() -> Value {
    json!({"errcode": 0, "result": {"hasMore": false, "list": [
        {"groupId": 1, "name": "默认", "roles": [{"id": 10, "name": "主管"}]},
        {"groupId": "2", "name": "Rollcall", "roles": {"id": "20", "name": "财务"}},
        {"groupId": 3, "name": "Projects", "roles": [{"id": 30, "name": "财务"}]}
    ]}})
}

fn add(members: &[&str]) -> Action {
    Action::AddMembers { kind: Role, remote_id: "20".into(), members: members.iter().map(|id| (*id).into()).collect() }
}

fn remove(members: &[&str]) -> Action {
    let members = members.iter().map(|id| (*id).into()).collect();
    Action::RemoveMembers { kind: Role, remote_id: "20".into(), members }
}

#[tokio::test]
async fn a_role_goes_into_its_group() {
    for (attributes, group, expected) in [
        (json!({"name": "运维"}), None, r#"{"roleName":"运维","groupId":2}"#),
        (json!({"name": "运维", "role_group": "Projects"}), None, r#"{"roleName":"运维","groupId":3}"#),
        (json!({"name": "运维", "role_group": "新"}), Some(r#"{"name":"新"}"#), r#"{"roleName":"运维","groupId":9}"#),
    ] {
        let world = World::new().await;
        world.answer(LIST, &groups()).await;
        world.answer(GROUP_CREATE, &json!({"errcode": 0, "groupId": 9})).await;
        world.answer(CREATE, &json!({"errcode": 0, "roleId": 77})).await;
        let action = create(Role, None, attributes);
        assert_eq!(world.dingtalk.apply(&action).await.expect("created").remote_id, "77");
        assert_eq!(world.body(CREATE).await, expected);
        assert_eq!(world.body(LIST).await, r#"{"size":200,"offset":0}"#);
        match group {
            Some(body) => assert_eq!(world.body(GROUP_CREATE).await, body),
            None => assert!(world.received(GROUP_CREATE).await.is_empty()),
        }
        world.dingtalk.apply(&action).await.expect("created");
        assert_eq!(world.received(LIST).await.len(), 1, "the group is remembered");
        let after = world.dingtalk.after(&std::collections::BTreeMap::new(), &action);
        assert!(after.contains_key("role_group"), "as it is read");
    }
}

#[tokio::test]
async fn a_group_that_was_removed_by_hand_is_looked_for_again() {
    let world = World::new().await;
    world.answer(LIST, &groups()).await;
    let answers = vec![
        json!({"errcode": 0, "roleId": 77}),
        json!({"errcode": 34020, "errmsg": "不合法的角色组ID"}),
        json!({"errcode": 0, "roleId": 78}),
    ];
    world.answer_in_turn(CREATE, answers).await;
    world.dingtalk.apply(&create(Role, None, json!({"name": "a"}))).await.expect("created");
    let applied = world.dingtalk.apply(&create(Role, None, json!({"name": "b"}))).await.expect("created");
    assert_eq!(applied.remote_id, "78");
    assert_eq!(world.received(LIST).await.len(), 2);
}

#[tokio::test]
async fn roles_are_read() {
    let world = World::new().await;
    world.answer(LIST, &groups()).await;
    world.answer(GET, &json!({"errcode": 0, "role": {"name": "财务", "groupId": 2}})).await;
    world.answer(GET_GROUP, &json!({"errcode": 0, "role_group": {"group_name": "Rollcall", "roles": []}})).await;
    let role = world.dingtalk.entity(Role, "20").await.expect("read").expect("there");
    assert_eq!(json!(role.attributes), json!({"name": "财务", "role_group": "Rollcall"}));
    assert_eq!(world.body(GET).await, r#"{"roleId":20}"#);
    assert_eq!(world.body(GET_GROUP).await, r#"{"group_id":2}"#);

    for (group, name, expected) in [
        (None, "财务", Some("20")),
        (Some("Projects"), "财务", Some("30")),
        (None, "主管", None),
        (Some("x"), "财务", None),
    ] {
        let found = world.dingtalk.by_name(Role, group, name).await.expect("read");
        assert_eq!(found.as_ref().map(|role| role.remote_id.as_str()), expected, "{group:?} {name}");
    }
    let all = world.dingtalk.roles(None).await.expect("a page");
    assert_eq!(all.items.iter().map(|role| role.remote_id.as_str()).collect::<Vec<_>>(), ["10", "20", "30"]);
    assert!(all.next.is_none());

    let world = World::new().await;
    world.answer(GET, &json!({"errcode": 33011, "errmsg": "…"})).await;
    assert_eq!(world.dingtalk.entity(Role, "20").await.expect("an answer"), None);
    for answer in [json!({"errcode": 0}), json!({"errcode": 0, "result": {}}), json!({"errcode": -1})] {
        let world = World::new().await;
        for path in [LIST, GET, MEMBERS] {
            world.answer(path, &answer).await;
        }
        world.dingtalk.roles(None).await.expect_err("not an empty list");
        world.dingtalk.by_name(Role, None, "财务").await.expect_err("not an absence");
        world.dingtalk.entity(Role, "20").await.expect_err("not an absence");
        world.dingtalk.members(Role, "20", None).await.expect_err("not an empty list");
    }
}

#[tokio::test]
async fn groups_page_by_page() {
    let world = World::new().await;
    let first =
        json!({"errcode": 0, "result": {"hasMore": true, "list": [{"groupId": 1, "name": "默认", "roles": []}]}});
    world.answer_in_turn(LIST, vec![first, groups()]).await;
    let found = world.dingtalk.by_name(Role, None, "财务").await.expect("read");
    assert_eq!(found.expect("on the second page").remote_id, "20");
    let bodies = world.received(LIST).await;
    assert_eq!(bodies[1].body, br#"{"size":200,"offset":200}"#);
}

#[tokio::test]
async fn members_in_batches() {
    let world = World::new().await;
    world.accept(&[ADD, REMOVE]).await;
    let people: Vec<String> = (0..20).map(|n| format!("u{n}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    let applied = world.dingtalk.apply(&add(&people)).await.expect("added");
    assert!(applied.refused.is_empty());
    assert_eq!(world.body(ADD).await, format!(r#"{{"roleIds":"20","userIds":"{}"}}"#, people.join(",")));
    world.dingtalk.apply(&remove(&["u1", "u2"])).await.expect("removed");
    assert_eq!(world.body(REMOVE).await, r#"{"roleIds":"20","userIds":"u1,u2"}"#);
    assert_eq!((world.dingtalk.most_members(Role, true), world.dingtalk.most_members(Role, false)), (20, 100));

    let too_many: Vec<&str> = people.iter().copied().chain(["u20"]).collect();
    for action in [add(&too_many), add(&[]), add(&["a,b"])] {
        let world = World::new().await;
        let error = world.dingtalk.apply(&action).await.expect_err("does not fit");
        assert_eq!(error.class, ErrorClass::Invalid);
        assert!(world.paths().await.is_empty());
    }
}

#[tokio::test]
async fn one_who_is_not_there_does_not_stop_the_others() {
    let unknown = || ResponseTemplate::new(200).set_body_json(json!({"errcode": 33012, "errmsg": "无效的USERID"}));
    for (action, at) in [(add(&["u1", "gone", "u3"]), ADD), (remove(&["u1", "gone", "u3"]), REMOVE)] {
        let world = World::new().await;
        let refuse = Mock::given(path(at)).and(body_string_contains("gone")).respond_with(unknown());
        refuse.with_priority(1).mount(&world.server).await;
        world.accept(&[at]).await;
        let applied = world.dingtalk.apply(&action).await.expect("the others");
        let refused: Vec<(&str, ErrorClass)> =
            applied.refused.iter().map(|(who, error)| (who.as_str(), error.class)).collect();
        // Whoever is not there does not have the role.
        let expected = if at == ADD { vec![("gone", ErrorClass::MissingReference)] } else { vec![] };
        assert_eq!(refused, expected);
        assert_eq!(world.received(at).await.len(), 4, "all together, then one by one");
    }
    let world = World::new().await;
    world.answer(ADD, &json!({"errcode": -1, "errmsg": "系统繁忙"})).await;
    let error = world.dingtalk.apply(&add(&["u1", "u2"])).await.expect_err("busy");
    assert_eq!((error.class, world.received(ADD).await.len()), (ErrorClass::Transient, 1));
}

#[tokio::test]
async fn a_role_goes_after_its_members() {
    let page = |ids: &[&str]| {
        let list: Vec<Value> = ids.iter().map(|id| json!({"userid": id, "name": "a", "manageScopes": []})).collect();
        json!({"errcode": 0, "result": {"hasMore": false, "list": list}})
    };
    let world = World::new().await;
    world.answer_in_turn(MEMBERS, vec![page(&["u1", "u2"]), page(&[])]).await;
    world.accept(&[REMOVE, DELETE]).await;
    world.dingtalk.apply(&delete(Role, "20")).await.expect("deleted");
    assert_eq!(world.paths().await, [MEMBERS, REMOVE, MEMBERS, DELETE]);
    assert_eq!(world.body(DELETE).await, r#"{"role_id":20}"#);

    let world = World::new().await;
    world.answer(MEMBERS, &page(&["u1"])).await;
    world.accept(&[REMOVE]).await;
    let error = world.dingtalk.apply(&delete(Role, "20")).await.expect_err("they stay");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "role_not_emptied"));

    let world = World::new().await;
    world.answer(MEMBERS, &json!({"errcode": 33011, "errmsg": "…"})).await;
    world.dingtalk.apply(&delete(Role, "20")).await.expect("it is gone already");
}

#[tokio::test]
async fn members_are_read_page_by_page() {
    let world = World::new().await;
    let first = json!({"errcode": 0, "result": {"hasMore": "true", "list": [{"userid": "u1"}]}});
    let last = json!({"errcode": 0, "result": {"hasMore": false, "list": [{"userid": 2}]}});
    world.answer_in_turn(MEMBERS, vec![first, last]).await;
    let first = world.dingtalk.members(Role, "20", None).await.expect("a page");
    let last = world.dingtalk.members(Role, "20", first.next.as_ref()).await.expect("a page");
    assert_eq!((first.items, last.items, last.next), (vec!["u1".to_owned()], vec!["2".to_owned()], None));
    let bodies = world.received(MEMBERS).await;
    assert_eq!(bodies[1].body, br#"{"role_id":20,"size":100,"offset":100}"#);
}

#[tokio::test]
async fn what_cannot_be_done_with_a_role() {
    for (action, code) in [
        (create(Role, None, json!({})), "name_missing"),
        (create(Role, None, json!({"name": "a", "role_group": "默认"})), "role_group_immutable"),
        (update(Role, "20", json!({"role_group": "b"})), "role_group_unchangeable"),
        (update(Role, "x", json!({"name": "b"})), "role_malformed"),
    ] {
        let world = World::new().await;
        let error = world.dingtalk.apply(&action).await.expect_err(code);
        assert_eq!(error.code, code);
        assert!(world.paths().await.is_empty(), "{code} cost a call");
    }
    let world = World::new().await;
    world.accept(&[UPDATE]).await;
    world.dingtalk.apply(&update(Role, "20", json!({"name": "出纳"}))).await.expect("renamed");
    assert_eq!(world.body(UPDATE).await, r#"{"roleId":20,"roleName":"出纳"}"#);
}
