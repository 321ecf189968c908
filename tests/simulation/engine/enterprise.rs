//! Enterprise accounts: whose an account is, whether it may be used, and whether whoever left is signed out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::directory::Person;
use super::facts::Facts;
use super::hand::text;
use super::rules::Logins;
use super::watch::Call;

/// The login name that somebody's account has if they sign in at DingTalk.
fn login_id(person: &Person) -> String {
    format!("login-{}", person.id)
}

/// What the organisation's own accounts have besides; nothing of any other.
fn exclusive(account: &Value) -> Option<&Value> {
    account.get("exclusive").filter(|exclusive| !exclusive.is_null())
}

/// Whether an account, which may be one that is said to be another's, has the login name that somebody's would get.
pub(crate) fn has_login_of(account: &Value, person: &Person) -> bool {
    exclusive(account).is_some_and(|exclusive| text(exclusive, "login_id") == login_id(person))
}

/// Whose an account is, in the rules' word.
fn kind(account: &Value) -> &str {
    exclusive(account).map_or(Logins::Normal.kind(), |exclusive| text(exclusive, "kind"))
}

/// Whether an account is turned off, which only the organisation's own can be.
pub(crate) fn is_off(account: &Value) -> bool {
    exclusive(account).and_then(|exclusive| exclusive.get("disabled")) == Some(&Value::Bool(true))
}

/// Whether an account has a number that is the person's.
pub(crate) fn has_number(account: &Value) -> bool {
    exclusive(account).is_none()
}

/// What of an account is not as the rules want it of somebody who is there.
pub(crate) fn differences(facts: &Facts, person: &Person, account: &Value) -> BTreeSet<&'static str> {
    let mut differs = BTreeSet::new();
    let login = facts.rules.login(person);
    if kind(account) != login.kind() {
        differs.insert("account_kind");
    }
    let off = facts.held_at(person.id, "enabled").is_some_and(|held| held.value == Value::Bool(false));
    if is_off(account) != off {
        differs.insert("enabled");
    }
    let named = || exclusive(account).map_or("", |exclusive| text(exclusive, "login_id"));
    if login == Logins::DingTalk && kind(account) == login.kind() && named() != login_id(person) {
        differs.insert("login_id");
    }
    differs
}

/// What is wrong with the account of somebody who has left, and whom the rules keep for now.
pub(crate) fn judge_leaver(facts: &Facts, account: &Value, wrongs: &mut Vec<String>) {
    if exclusive(account).is_some() && !is_off(account) {
        wrongs.push(format!("has left and can still sign in: {account}"));
    }
    if is_off(account) && !facts.signed_out.contains(text(account, "userid")) {
        wrongs.push(format!("has left, and whoever is signed in still is: {account}"));
    }
}

/// Accounts whose sessions were ended after they were turned off last.
pub(crate) fn signed_out(calls: &[Call]) -> BTreeSet<String> {
    let mut ended = BTreeMap::new();
    for call in calls {
        let userid = call.userid().to_owned();
        match call.api.rsplit('/').next() {
            Some("disable") => drop(ended.insert(userid, false)),
            Some("signOut") if call.errcode == Some(0) => drop(ended.insert(userid, true)),
            _ => {}
        }
    }
    ended.into_iter().filter(|(_, ended)| *ended).map(|(userid, _)| userid).collect()
}
