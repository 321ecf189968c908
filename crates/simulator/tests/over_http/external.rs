//! External contacts and their labels (pages A0097 to A0102).

use reqwest::{Method, StatusCode};
use rollcall_simulator::{Options, Organisation};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, unhurried};

const CREATE: &str = "/topapi/extcontact/create";
const UPDATE: &str = "/topapi/extcontact/update";
const DELETE: &str = "/topapi/extcontact/delete";
const GET: &str = "/topapi/extcontact/get";
const LIST: &str = "/topapi/extcontact/list";
const LABELS: &str = "/topapi/extcontact/listlabelgroups";

async fn harness(organisation: Organisation) -> (Harness, i64) {
    let harness = Harness::with(Options { organisation, ..unhurried() }).await;
    harness.create("anna", "13800000001").await;
    let groups = harness.call(LABELS, json!({})).await;
    let label = groups["results"][0]["labels"][0]["id"].as_i64().expect("an id");
    (harness, label)
}

fn contact(label: i64) -> Value {
    json!({
        "name": "Client", "mobile": "13900000001", "state_code": "86", "label_ids": [label], "follower_user_id": "ANNA"
    })
}

async fn made(harness: &Harness, contact: Value) -> String {
    let answer = harness.call(CREATE, json!({ "contact": contact })).await;
    assert_eq!(answer["errcode"], 0, "{answer}");
    answer["userid"].as_str().expect("the id is at the top").to_owned()
}

#[tokio::test]
async fn creation_is_refused_with_the_documented_errcode() {
    let (harness, label) = harness(Organisation { external_contact_limit: Some(2), ..Organisation::default() }).await;
    assert_eq!(harness.errcode(CREATE, json!({})).await, 40036);
    assert_eq!(harness.errcode(CREATE, json!({ "contact": "no object" })).await, 40036);
    for (changes, expected) in [
        (json!({ "name": null }), 40036),
        (json!({ "name": "x".repeat(81) }), 60112),
        (json!({ "mobile": null }), 40036),
        (json!({ "mobile": "139" }), 60103),
        (json!({ "state_code": null }), 40036),
        (json!({ "label_ids": null }), 60204),
        (json!({ "label_ids": [] }), 60204),
        (json!({ "label_ids": [1] }), 60204),
        (json!({ "label_ids": vec![label; 21] }), 400_002),
        (json!({ "follower_user_id": null }), 40036),
        (json!({ "follower_user_id": "nobody" }), 40003),
        (json!({ "share_user_ids": ["nobody"] }), 40003),
        (json!({ "share_user_ids": vec!["anna"; 21] }), 400_002),
        (json!({ "share_dept_ids": [99] }), 60003),
        (json!({}), 0),
        (json!({}), 22005),
        (json!({ "state_code": "1", "mobile": "4155550100", "label_ids": format!("[{label}]") }), 0),
        (json!({ "mobile": "13900000003" }), 60203),
    ] {
        let body = json!({ "contact": merged(contact(label), &changes) });
        assert_eq!(harness.errcode(CREATE, body).await, expected, "{changes}");
    }
}

#[tokio::test]
async fn features_of_the_organisation_decide() {
    for (organisation, expected) in [
        (Organisation { external_contacts: false, ..Organisation::default() }, 60205),
        (Organisation { external_contacts_have_mandatory_field: true, ..Organisation::default() }, 40001),
    ] {
        let (harness, label) = harness(organisation).await;
        let answer = harness.call(CREATE, json!({ "contact": contact(label) })).await;
        assert_eq!(answer["errcode"], expected, "{answer}");
    }
}

#[tokio::test]
async fn a_contact_is_read_changed_and_deleted() {
    let (harness, label) = harness(Organisation::default()).await;
    let id = made(&harness, merged(contact(label), &json!({ "title": "Buyer", "share_dept_ids": [1] }))).await;
    let read = harness.succeed(GET, json!({ "user_id": id })).await;
    let expected = json!({
        "userid": id, "name": "Client", "state_code": "86", "mobile": "13900000001", "label_ids": [label],
        "follower_user_id": "anna", "share_dept_ids": [1], "share_user_ids": [], "title": "Buyer"
    });
    assert_eq!(read, expected, "what is empty is absent");
    for (changes, expected) in [
        (json!({ "user_id": null }), 40036),
        (json!({ "user_id": "nobody" }), 60121),
        (json!({ "label_ids": [] }), 60204),
        (json!({ "follower_user_id": "nobody" }), 40003),
        (
            json!({ "mobile": "13900000009", "state_code": "1", "title": "", "remark": "r", "share_user_ids": ["anna"] }),
            0,
        ),
    ] {
        let body = json!({ "contact": merged(contact(label), &merged(json!({ "user_id": id }), &changes)) });
        assert_eq!(harness.errcode(UPDATE, body).await, expected, "{changes}");
    }
    let read = harness.succeed(GET, json!({ "user_id": id })).await;
    let told = (&read["mobile"], read.get("title"), &read["remark"], &read["share_user_ids"]);
    assert_eq!(told, (&json!("13900000001"), None, &json!("r"), &json!(["anna"])), "the number stays");

    let state = harness.state().await;
    let unionid = &state["external_contacts"][0]["unionid"];
    let found = harness.succeed("/topapi/user/getbyunionid", json!({ "unionid": unionid })).await;
    assert_eq!(found, json!({ "contact_type": 1, "userid": id }));
    let chat = json!({ "name": "With a client", "owner": "anna", "useridlist": ["anna"], "extidlist": [unionid] });
    let chat = harness.succeed_new(Method::POST, "/v1.0/im/group/create", chat).await;
    let shown = harness.state().await["chats"][0].clone();
    assert_eq!((&shown["chat_id"], &shown["outside_members"]), (&chat["chatid"], &json!([unionid])));

    for (api, body, expected) in [
        (GET, json!({ "user_id": "nobody" }), 33012),
        (DELETE, json!({}), 33012),
        (DELETE, json!({ "user_id": id }), 0),
        (DELETE, json!({ "user_id": id }), 33012),
        (GET, json!({ "user_id": id }), 33012),
    ] {
        assert_eq!(harness.errcode(api, body.clone()).await, expected, "{api} {body}");
    }
}

#[tokio::test]
async fn a_short_page_is_the_last_one() {
    let (harness, label) = harness(Organisation::default()).await;
    for number in 0..5 {
        made(&harness, merged(contact(label), &json!({ "mobile": format!("1390000000{number}") }))).await;
    }
    let (mut offset, mut sizes, mut ids) = (0, Vec::new(), Vec::new());
    loop {
        let page = harness.call(LIST, json!({ "size": 2, "offset": offset })).await;
        assert_eq!((page.get("has_more"), page.get("result")), (None, None));
        let list = page["results"].as_array().expect("a list");
        ids.extend(list.iter().map(|one| one["userid"].as_str().expect("an id").to_owned()));
        sizes.push(list.len());
        offset += 2;
        if list.len() < 2 {
            break;
        }
    }
    ids.dedup();
    assert_eq!((sizes, ids.len()), (vec![2, 2, 1], 5));
    for (api, body, expected) in [
        (LIST, json!({ "size": 101, "offset": 0 }), 40069),
        (LIST, json!({ "size": 1, "offset": -1 }), 40068),
        (LABELS, json!({ "size": 101, "offset": 0 }), 41101),
        (LABELS, json!({ "size": 100, "offset": -1 }), 40068),
    ] {
        assert_eq!(harness.errcode(api, body.clone()).await, expected, "{api} {body}");
    }
    let page = harness.call(LABELS, json!({ "size": 1, "offset": 1 })).await;
    let expected = json!([{ "name": "级别", "color": -11_687_445, "labels": page["results"][0]["labels"] }]);
    assert_eq!(page["results"], expected);
}

#[tokio::test]
async fn an_admin_keeps_contacts_and_labels() {
    let (harness, _) = harness(Organisation::default()).await;
    harness
        .post_control("/edit", json!({ "action": "create_label_group", "name": "Region", "labels": ["North"] }))
        .await;
    let state = harness.state().await;
    let label = state["label_groups"][3]["labels"][0]["id"].as_i64().expect("an id");
    let body = json!({ "action": "create_external_contact", "contact": contact(label) });
    let made = harness.post_control("/edit", body.clone()).await;
    assert_eq!(harness.control(Method::POST, "/edit", body).await.0, StatusCode::CONFLICT);
    let renamed = merged(contact(label), &json!({ "user_id": made["userid"], "name": "Renamed" }));
    harness.post_control("/edit", json!({ "action": "update_external_contact", "contact": renamed })).await;
    assert_eq!(harness.state().await["external_contacts"][0]["name"], "Renamed");
    harness.post_control("/edit", json!({ "action": "delete_external_contact", "user_id": made["userid"] })).await;
    assert_eq!(harness.state().await["external_contacts"], json!([]));
}
