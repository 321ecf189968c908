//! External contacts: what DingTalk must have of people outside, and whose each contact is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::directory::Person;
use super::facts::{Facts, Standing};
use super::hand::text;
use super::oracle::{is_difference_excused, is_numberless};

/// The member who looks after all contacts; nobody of ours.
pub(crate) const KEEPER: &str = "keeper";
/// The first label that every organisation begins with.
pub(crate) const LABEL: i64 = 1_561_077_310;

/// Whether the old of two kinds is there for now, because its removal waits for a person's word.
pub(crate) fn is_put_off(facts: &Facts, person: &Person, standing: &Standing) -> bool {
    let told = || facts.waits_by_earlier_rules(standing) || standing.tells_besides("delete");
    standing.state == "held" && standing.verb() == "delete" || person.is_present() && told()
}

/// Judges somebody who is to be a contact.
pub(crate) fn judge(facts: &Facts, person: &Person, standing: &Standing, wrongs: &mut Vec<String>) {
    if let Some(account) = facts.account(person) {
        if !is_put_off(facts, person, standing) {
            wrongs.push(format!("is to be a contact, and has an account: {account}; {standing:?}"));
        }
        return;
    }
    if !person.has_number() {
        if !is_numberless(standing) {
            wrongs.push(format!("has no usable number, and nobody is told: {standing:?}"));
        }
        return;
    }
    let Some(contact) = facts.contact(person) else {
        if !is_excused(facts, person, standing) {
            wrongs.push(format!("is no contact: {standing:?}"));
        }
        return;
    };
    let mut differs = BTreeSet::new();
    let mut compare = |attribute: &'static str, wanted: Option<&str>| {
        if wanted.unwrap_or_default() != text(contact, attribute) {
            differs.insert(attribute);
        }
    };
    compare("name", Some(&person.name));
    compare("title", facts.rules.title(person).as_deref());
    compare("mobile", person.mobile.as_deref());
    for attribute in &differs {
        if !is_difference_excused(facts, person, standing, attribute) {
            wrongs.push(format!("{attribute} of the contact differs: {contact}; {standing:?}"));
        }
    }
    // In rehearsal nobody looks whether a creation has arrived whose answer was lost before it.
    let arrived = facts.rehearses && standing.state == "held" && standing.verb() == "create";
    if differs.is_empty() && !standing.is(&["in_step"]) && !arrived {
        wrongs.push(format!("is as a contact as they should be, and not in step: {standing:?}"));
    }
}

/// Whether there is a good reason why somebody is no contact.
fn is_excused(facts: &Facts, person: &Person, standing: &Standing) -> bool {
    let mobile = person.mobile.as_deref().unwrap_or_default();
    match (standing.state.as_str(), standing.code()) {
        ("held", _) => facts.rehearses && standing.verb() == "create" || standing.is_unlinked(),
        ("needs_attention", "22005") => facts.contacts.values().any(|contact| text(contact, "mobile") == mobile),
        // Whoever was invited as a member before may accept for a long time, and would be both.
        ("waiting", "invited") => facts.invited.contains(mobile),
        _ => false,
    }
}

/// Judges contacts of nobody: those made by hand stay, and of ours there is none.
pub(crate) fn judge_all(facts: &Facts, wrongs: &mut Vec<String>) {
    let linked: BTreeSet<&str> =
        facts.standings.values().filter_map(|standing| standing.remote_id.as_deref()).collect();
    for (id, contact) in &facts.contacts {
        if !linked.contains(id.as_str()) && !facts.foreign_contacts.contains(id) {
            wrongs.push(format!("the contact {id} is of nobody: {contact}"));
        }
    }
    for id in &facts.foreign_contacts {
        if !facts.contacts.contains_key(id) {
            wrongs.push(format!("the contact {id}, made by hand, is gone"));
        }
    }
}

/// The contact that a call is about, if it names one.
pub(crate) fn named(body: &Value) -> &str {
    let contact = body.get("contact").unwrap_or(body);
    text(contact, "user_id")
}
