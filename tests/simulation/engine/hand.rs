//! An admin's hand in DingTalk, and the people whom DingTalk asks.

use axum::http::Method;
use rollcall_simulator::Simulator;
use serde_json::{Value, json};

use super::contacts::{KEEPER, LABEL};
use super::directory::mobile;
use super::script::{HAND_NAMES, Hand};
use super::stage::{ask, tell};
use super::watch::Watch;

const OURS: &str = "rollcall:";
/// A field of which no rule speaks.
pub(crate) const SHIRT: &str = "shirt";

/// What the simulator holds.
pub(crate) async fn state(simulator: &Simulator) -> anyhow::Result<Value> {
    ask(simulator, Method::GET, "state", None).await
}

/// A list in the state.
pub(crate) fn list<'a>(state: &'a Value, name: &str) -> &'a [Value] {
    state.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text in an entry of the state; empty if there is none.
pub(crate) fn text<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The id of a department.
pub(crate) fn dept_id(entry: &Value) -> i64 {
    entry.get("dept_id").and_then(Value::as_i64).unwrap_or_default()
}

/// Whether a department carries our sign.
pub(crate) fn is_ours(department: &Value) -> bool {
    text(department, "source_identifier").starts_with(OURS)
}

fn nth<'a>(entries: &[&'a Value], number: usize) -> Option<&'a Value> {
    let at = number.checked_rem(entries.len())?;
    entries.get(at).copied()
}

/// Does it, if there is something to do it to. What DingTalk refuses is not done. True: something changed.
pub(crate) async fn edit(simulator: &Simulator, watch: &mut Watch, hand: Hand, count: usize) -> anyhow::Result<bool> {
    let state = state(simulator).await?;
    let ours = || list(&state, "departments").iter().filter(|entry| is_ours(entry)).collect::<Vec<_>>();
    let department = |number| nth(&ours(), number).map(dept_id);
    let any = |number| nth(&list(&state, "departments").iter().collect::<Vec<_>>(), number).map_or(1, dept_id);
    let foreign = |entry: &&Value| watch.foreign_people.contains(text(entry, "userid"));
    let people: Vec<&Value> = list(&state, "users").iter().filter(|entry| !foreign(entry)).collect();
    let person = |number| nth(&people, number).map(|entry| text(entry, "userid").to_owned());
    let of_ours = |entry: &&Value| !watch.foreign_contacts.contains(text(entry, "user_id"));
    let contacts: Vec<&Value> = list(&state, "external_contacts").iter().filter(of_ours).collect();
    let contact = |number| nth(&contacts, number).map(|entry| text(entry, "user_id").to_owned());
    let made = format!("hand{count}");
    let body = match hand {
        Hand::RenameDepartment(number) => department(number)
            .map(|id| json!({ "action": "update_department", "dept_id": id, "name": format!("Renamed {count}") })),
        Hand::MoveDepartment(number, under) => department(number)
            .map(|id| json!({ "action": "update_department", "dept_id": id, "parent_id": any(under) })),
        Hand::DeleteDepartment(number) => {
            department(number).map(|id| json!({ "action": "delete_department", "dept_id": id }))
        }
        Hand::MakeDepartment { name, under } => {
            let name = HAND_NAMES.get(name).copied().unwrap_or("Guests");
            // Mostly at the top, where the directory's own departments begin.
            let under = if under % 3 == 0 { any(under) } else { 1 };
            Some(json!({ "action": "create_department", "name": name, "parent_id": under }))
        }
        Hand::DeletePerson(number) => person(number).map(|id| json!({ "action": "delete_user", "userid": id })),
        Hand::RetitlePerson(number) => {
            person(number).map(|id| json!({ "action": "update_user", "userid": id, "title": made, "name": made }))
        }
        Hand::MovePerson(number, to) => person(number)
            .map(|id| json!({ "action": "update_user", "userid": id, "dept_id_list": any(to).to_string() })),
        Hand::TakeEmail(number) => Some(json!({ "action": "create_user", "userid": made, "name": made,
            "mobile": format!("1390000{count:04}"), "dept_id_list": "1", "email": format!("e{number}@x.test") })),
        Hand::GiveShirt(number) => nth(&people, number).map(|entry| {
            let mut fields = entry.get("extension").and_then(Value::as_object).cloned().unwrap_or_default();
            fields.insert(SHIRT.to_owned(), json!("L"));
            json!({ "action": "update_user", "userid": text(entry, "userid"), "extension": fields })
        }),
        Hand::MakePerson { mobile: number, within } => Some(json!({ "action": "create_user", "userid": made,
            "name": made, "mobile": mobile(number), "dept_id_list": any(within).to_string() })),
        Hand::RetitleContact(number) => contact(number).map(|id| {
            let contact = json!({ "user_id": id, "name": made, "title": made, "label_ids": [LABEL],
                                  "follower_user_id": KEEPER });
            json!({ "action": "update_external_contact", "contact": contact })
        }),
        Hand::DeleteContact(number) => {
            contact(number).map(|id| json!({ "action": "delete_external_contact", "user_id": id }))
        }
        Hand::MakeContact { mobile: number } => {
            let contact = json!({ "name": made, "mobile": mobile(number), "state_code": "86", "label_ids": [LABEL],
                                  "follower_user_id": KEEPER });
            Some(json!({ "action": "create_external_contact", "contact": contact }))
        }
    };
    let Some(body) = body else { return Ok(false) };
    let (status, answer) = tell(simulator, Method::POST, "edit", Some(&body)).await?;
    if status >= 300 {
        return Ok(false);
    }
    match text(&body, "action") {
        "create_user" => {
            watch.numbers.insert(made.clone(), text(&body, "mobile").to_owned());
            watch.foreign_people.insert(made);
        }
        "create_external_contact" => {
            watch.foreign_contacts.insert(text(&answer, "userid").to_owned());
        }
        "create_department" => {
            watch.foreign_departments.insert(dept_id(&answer));
        }
        "update_user" if body.get("extension").is_some() => {
            watch.shirts.insert(text(&body, "userid").to_owned());
        }
        "delete_user" => {
            watch.departed.insert(text(&body, "userid").to_owned());
        }
        _ => {}
    }
    Ok(true)
}

/// One of the invited answers.
pub(crate) async fn answer(simulator: &Simulator, accept: bool, which: usize) -> anyhow::Result<bool> {
    let state = state(simulator).await?;
    let Some(invited) = nth(&list(&state, "invitations").iter().collect::<Vec<_>>(), which) else { return Ok(false) };
    let verb = if accept { "accept" } else { "decline" };
    let path = format!("invitations/{}/{verb}", text(invited, "mobile"));
    let (status, _) = tell(simulator, Method::POST, &path, None).await?;
    Ok(status < 300)
}
