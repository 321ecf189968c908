//! An independent and simple answer to what DingTalk must have, and what may excuse a difference.

use std::collections::BTreeSet;

use rollcall_provisioning::ids::ResourceId;
use serde_json::Value;

use super::contacts;
use super::directory::{Group, Person};
use super::enterprise;
use super::facts::{Department, Facts, ROOT, Standing};
use super::hand::{SHIRT, text};
use super::rules::{Groups, Leavers, Logins};
use super::script::Boss;
use super::undoing::{same, wish};

/// States in which nothing goes on by itself at once.
const SETTLED: [&str; 5] = ["in_step", "gone", "waiting", "needs_attention", "held"];
/// States that say that something is not as it should be, and why.
const EXCUSING: [&str; 3] = ["waiting", "needs_attention", "held"];

/// What is wrong. `held` is whether guards and rehearsal may hold something.
pub(crate) fn judge(facts: &Facts, held: bool) -> Vec<String> {
    let mut wrongs = Vec::new();
    for person in &facts.people {
        let found = judge_person(facts, person);
        wrongs.extend(found.into_iter().map(|wrong| format!("{} ({}): {wrong}", person.name, person.id)));
    }
    judge_departments(facts, &mut wrongs);
    judge_groups(facts, &mut wrongs);
    contacts::judge_all(facts, &mut wrongs);
    for standing in facts.standings.values() {
        let what = format!("{} {}", standing.resource_kind, standing.resource_id);
        if standing.state == "held" && !held {
            wrongs.push(format!("{what} is held although a plan released everything: {}", standing.reason()));
        }
        if standing.is(&EXCUSING) && standing.reason().is_empty() {
            wrongs.push(format!("{what} is {} without a reason", standing.state));
        }
        if !standing.is(&SETTLED) && !empties_later(facts, standing) {
            wrongs.push(format!("{what} is {} for ever: {:?}", standing.state, standing.reason));
        }
        let behind = standing.version.is_some() && standing.applied_version < standing.version;
        if standing.is(&["in_step"]) && standing.resource_kind == "user" && behind {
            wrongs.push(format!("{what} is in step at {:?} of {:?}", standing.applied_version, standing.version));
        }
    }
    wrongs
}

/// A department that goes as soon as an admin takes out of it what is not ours, or lets go what they moved there.
fn empties_later(facts: &Facts, standing: &Standing) -> bool {
    let number = |standing: &Standing| standing.remote_id.as_ref().and_then(|id| id.parse::<i64>().ok());
    let id = number(standing);
    let held_below = |id: i64| {
        let held = facts.standings.values().filter(|other| other.resource_kind == "org_unit" && other.state == "held");
        held.filter_map(number).any(|other| facts.is_below(other, id))
    };
    let strangers = |id: i64| {
        facts.foreign_departments.iter().any(|other| facts.is_below(*other, id))
            || facts.is_occupied(id)
            || held_below(id)
    };
    standing.resource_kind == "org_unit"
        && matches!(standing.code(), "60005" | "60006" | "has_departments")
        && id.is_some_and(strangers)
}

fn judge_person(facts: &Facts, person: &Person) -> Vec<String> {
    let mut wrongs = Vec::new();
    let accounts = facts.accounts(person).count();
    if accounts > 1 {
        wrongs.push(format!("{accounts} accounts"));
    }
    let standing = facts.standings.get(&person.id);
    let account = facts.account(person);
    if let Some(userid) = standing.and_then(|one| one.remote_id.clone())
        && facts.parted.contains(&(person.id, userid.clone()))
    {
        wrongs.push(format!("is {userid} again, although somebody has said that they are not"));
    }
    let Some(standing) = standing else {
        // Whoever was deleted may be forgotten when everything of them is gone.
        if !person.deleted || account.is_some() {
            wrongs.push("nobody looks after them".to_owned());
        }
        return wrongs;
    };
    if let Some(contact) = facts.contact(person).filter(|_| !facts.wants_contact(person)) {
        if !contacts::is_put_off(facts, person, standing) {
            wrongs.push(format!("is to be no contact, and is one: {contact}; {standing:?}"));
        }
        return wrongs;
    }
    if facts.wants_contact(person) {
        contacts::judge(facts, person, standing, &mut wrongs);
        return wrongs;
    }
    match (facts.wants(person), account) {
        (false, Some(_)) if person.is_present() && facts.waits_by_earlier_rules(standing) => {}
        (false, Some(account)) if is_still_leaving(facts, person, standing) => {
            enterprise::judge_leaver(facts, account, &mut wrongs);
        }
        (false, Some(_)) if standing.holds("enabled") => {}
        (false, Some(_)) if standing.state == "held" && standing.verb() == "delete" => {}
        (false, Some(_)) if person.is_present() && standing.tells_besides("delete") => {}
        (false, Some(_)) => wrongs.push(format!("has left and is still there: {standing:?}")),
        (false, None) => {
            let invited = standing.state == "waiting" && standing.code() == "invited";
            if standing.state != "gone" && !invited {
                wrongs.push(format!("has left and is not gone: {standing:?}"));
            }
        }
        (true, _) if facts.lacks_number(person) => {
            if !is_numberless(standing) {
                wrongs.push(format!("has no usable number, and nobody is told: {standing:?}"));
            }
        }
        (true, None) => {
            if !is_excused(facts, person, standing) {
                wrongs.push(format!("has no account: {standing:?}"));
            }
        }
        (true, Some(account)) => judge_account(facts, person, standing, account, &mut wrongs),
    }
    wrongs
}

/// Whether it is told that there is no number that DingTalk can take.
pub(crate) fn is_numberless(standing: &Standing) -> bool {
    standing.state == "needs_attention" && standing.code().starts_with("mobile_m")
}

/// Whether somebody has left, and the rules keep their account for now.
fn is_still_leaving(facts: &Facts, person: &Person, standing: &Standing) -> bool {
    // Of those who are deleted the rules can know nothing any more.
    match facts.rules.leavers {
        _ if person.is_present() => false,
        Leavers::GoAtOnce => false,
        Leavers::GoAfter(_) => standing.state == "waiting" && standing.code() == "leaving",
        Leavers::Stay => standing.state == "in_step" && !standing.reason().is_empty(),
    }
}

/// Whether there is a good reason why somebody has no account.
fn is_excused(facts: &Facts, person: &Person, standing: &Standing) -> bool {
    let mobile = person.mobile.as_deref().unwrap_or_default();
    match (standing.state.as_str(), standing.code()) {
        ("held", _) => facts.rehearses && standing.verb() == "create" || standing.is_unlinked(),
        ("needs_attention", "60104") => facts.users.values().any(|user| text(user, "mobile") == mobile),
        ("needs_attention", "400002") => facts.users.values().any(|user| enterprise::has_login_of(user, person)),
        ("needs_attention", "invitation_unanswered") | ("waiting", "invited") => facts.invited.contains(mobile),
        ("waiting", "waiting_for_resource") => {
            facts.paths(person).iter().any(|path| facts.units(path).any(|unit| unit.is(&EXCUSING)))
        }
        _ => false,
    }
}

fn judge_account(facts: &Facts, person: &Person, standing: &Standing, account: &Value, wrongs: &mut Vec<String>) {
    let mut differs = enterprise::differences(facts, person, account);
    let held = |attribute: &str| facts.held_at(person.id, attribute);
    let mut compare = |attribute: &'static str, wanted: Option<&str>, field: &str| {
        let wanted = held(attribute).map_or(wanted, |held| held.value.as_str());
        if wanted.unwrap_or_default() != text(account, field) {
            differs.insert(attribute);
        }
    };
    compare("name", Some(&person.name), "name");
    compare("title", facts.rules.title(person).as_deref(), "title");
    compare("email", person.email.as_deref(), "email");
    compare("job_number", person.job_number.as_deref(), "job_number");
    if facts.rules.login(person) == Logins::Normal && enterprise::has_number(account) {
        compare("mobile", person.mobile.as_deref(), "mobile");
    }
    let wanted: Option<BTreeSet<i64>> = facts.paths(person).iter().map(|path| facts.department(path)).collect();
    if Some(Facts::at(account)) != wanted {
        differs.insert("org_units");
    }
    let field = |name: &str| account.get("extension").map_or("", |fields| text(fields, name));
    let project = match held("extension.project") {
        Some(held) => Some(held.value.as_str()),
        None => facts.rules.field.then_some(person.project.as_deref()),
    };
    if project.is_some_and(|project| field("project") != project.unwrap_or_default()) {
        differs.insert("extension.project");
    }
    if facts.shirts.contains(text(account, "userid")) && field(SHIRT) != "L" {
        wrongs.push(format!("a field of which no rule speaks is lost: {account}"));
    }
    let boss = Bossed::of(facts, person);
    let manager = text(account, "manager_userid");
    let wanted = match (&boss, held("manager")) {
        // Who it is to be is not known, so neither is whether something else is held against that.
        (Bossed::Later, _) | (Bossed::Wrongly, None) => None,
        (_, Some(held)) => Some(held.value.as_str().unwrap_or_default()),
        (Bossed::Nobody, None) => Some(""),
        (Bossed::By(id), None) => Some(id.as_str()),
    };
    if wanted.is_some_and(|wanted| wanted != manager) {
        differs.insert("manager");
    }
    for attribute in &differs {
        if !is_difference_excused(facts, person, standing, attribute) {
            let shown = account.get(*attribute).or_else(|| account.get("manager_userid"));
            wrongs.push(format!("{attribute} differs: {shown:?}; {standing:?}"));
        }
    }
    for held in facts.held(person.id) {
        let wish = wish(&facts.rules, person, &held.attribute);
        let over = wish.is_some_and(|wish| !same(&held.attribute, &wish, &held.against));
        if over && standing.is(&["in_step"]) && !facts.is_by_earlier_rules(standing) {
            wrongs.push(format!("the rules want something else by now, and it is still held: {held:?}"));
        }
    }
    // Who left took their name out of DingTalk with them, which the product need not know.
    let cleared = standing.held_by().starts_with("mapping:") && standing.holds("manager");
    // In rehearsal nobody looks whether a creation has arrived whose answer was lost before it.
    let arrived = facts.rehearses && standing.state == "held" && standing.verb() == "create";
    if differs.is_empty() && !standing.is(&["in_step"]) && !boss.excuses(standing) && !cleared && !arrived {
        wrongs.push(format!("is as it should be, and not in step: {standing:?}"));
    }
    if boss == Bossed::Wrongly && standing.is(&["in_step"]) {
        wrongs.push(format!("the manager cannot be, and nobody is told: {standing:?}"));
    }
}

/// Who somebody's manager at DingTalk must be.
#[derive(Debug, PartialEq, Eq)]
enum Bossed {
    Nobody,
    By(String),
    /// The one named cannot be it: whoever is there stays.
    Wrongly,
    /// They have no account, for a reason of their own.
    Later,
}

impl Bossed {
    fn of(facts: &Facts, person: &Person) -> Self {
        if person.boss == Boss::Unknown {
            return Self::Wrongly;
        }
        let Some(id) = &person.boss_id else { return Self::Nobody };
        let Some(boss) = facts.people.iter().find(|other| other.id.to_string() == *id) else { return Self::Wrongly };
        if boss.id == person.id {
            return Self::Wrongly;
        }
        if !boss.is_present() {
            // Once they are forgotten altogether, nobody knows them any more.
            return if facts.standings.contains_key(&boss.id) { Self::Nobody } else { Self::Wrongly };
        }
        match facts.account(boss) {
            Some(account) => Self::By(text(account, "userid").to_owned()),
            None => Self::Later,
        }
    }

    fn excuses(&self, standing: &Standing) -> bool {
        match self {
            Self::Wrongly => standing.is(&["needs_attention"]) && standing.code().starts_with("manager_"),
            Self::Later => standing.is(&["waiting", "needs_attention"]),
            Self::Nobody | Self::By(_) => false,
        }
    }
}

/// Whether there is a good reason why an attribute differs.
pub(crate) fn is_difference_excused(facts: &Facts, person: &Person, standing: &Standing, attribute: &str) -> bool {
    if standing.holds(attribute) || standing.tells_besides(attribute) || facts.waits_by_earlier_rules(standing) {
        return true;
    }
    let says =
        |word: &str| standing.is(&["needs_attention", "held"]) && standing.reason().to_lowercase().contains(word);
    match attribute {
        "mobile" => says("the mobile of an existing"),
        "account_kind" => says("documents no call that makes the one of the other"),
        "email" => {
            let taken = facts.users.values().any(|user| Some(text(user, "email")) == person.email.as_deref());
            taken && (says("e-mail") || says("email"))
        }
        // A department that is held under its old name is the right one all the same.
        "org_units" => {
            (standing.code() == "waiting_for_resource" || standing.is(&["held", "in_step"]))
                && facts.paths(person).iter().any(|path| facts.units(path).any(|unit| unit.is(&EXCUSING)))
        }
        _ => false,
    }
}

fn judge_groups(facts: &Facts, wrongs: &mut Vec<String>) {
    for group in &facts.groups {
        let standing = facts.standings.get(&group.id);
        let excused = standing.is_some_and(|one| one.is(&["held", "needs_attention"]));
        let roles: Vec<&BTreeSet<String>> =
            facts.roles.iter().filter(|(name, _)| *name == group.name).map(|(_, holders)| holders).collect();
        match roles.as_slice() {
            _ if excused || group.deleted || facts.rules.groups == Groups::Nothing => {}
            _ if facts.rules.groups.are_chats() => judge_chat(facts, group, standing, wrongs),
            [holders] => judge_members(facts, group, holders, wrongs),
            other => wrongs.push(format!("{} roles are called {}: {standing:?}", other.len(), group.name)),
        }
    }
    for (id, chat) in &facts.chats {
        let of = |one: &&Standing| one.resource_kind == "group" && one.remote_id.as_ref() == Some(id);
        let mut groups = facts.standings.values().filter(of);
        if groups.next().is_none() && !facts.chats_stay {
            wrongs.push(format!("the chat {id} is of no group: {chat:?}"));
        }
    }
    for (name, holders) in &facts.roles {
        let of = |group: &&Group| !group.deleted && facts.rules.groups == Groups::Roles && group.name == *name;
        let excused = facts.standings.values().any(|one| one.resource_kind == "group" && one.is(&EXCUSING));
        if !facts.groups.iter().any(|group| of(&group)) && !excused {
            wrongs.push(format!("the role {name} is for nobody, and held by {holders:?}"));
        }
    }
}

fn judge_chat(facts: &Facts, group: &Group, standing: Option<&Standing>, wrongs: &mut Vec<String>) {
    let chat = standing.and_then(|standing| facts.chats.get(standing.remote_id.as_ref()?));
    let mut members = BTreeSet::new();
    for person in facts.people.iter().filter(|person| group.members.contains(&person.id) && facts.wants(person)) {
        members.extend(facts.account(person).map(|account| text(account, "userid")));
    }
    let Some(chat) = chat else {
        if !members.is_empty() {
            wrongs.push(format!("{} has no chat, and {members:?} are to be in it: {standing:?}", group.name));
        }
        return;
    };
    // Nobody is in it any more: its last owner stays, and there is nobody for whom it would be called otherwise.
    if members.is_empty() {
        return;
    }
    if chat.title != group.name {
        wrongs.push(format!("the chat of {} is called {}: {standing:?}", group.name, chat.title));
    }
    if !chat.members.contains(&chat.owner) {
        wrongs.push(format!("the owner of the chat of {} is not in it: {chat:?}", group.name));
    }
    judge_members(facts, group, &chat.members, wrongs);
}

fn judge_members(facts: &Facts, group: &Group, holders: &BTreeSet<String>, wrongs: &mut Vec<String>) {
    let mut allowed = BTreeSet::new();
    for person in facts.people.iter().filter(|person| group.members.contains(&person.id)) {
        let Some(userid) = facts.account(person).map(|account| text(account, "userid")) else { continue };
        let standing = facts.standing(person);
        if !facts.wants(person) {
            // Whose removal is held is where they were.
            if standing.is_some_and(|standing| !is_still_leaving(facts, person, standing)) {
                allowed.insert(userid);
            }
            continue;
        }
        allowed.insert(userid);
        if !holders.contains(userid) {
            wrongs.push(format!("{} is not in {}: {:?}", person.name, group.name, facts.standings.get(&group.id)));
        }
    }
    let more: Vec<&String> = holders.iter().filter(|holder| !allowed.contains(holder.as_str())).collect();
    // What somebody has said to be another's stays where it is.
    let more: Vec<&String> = more.into_iter().filter(|holder| !facts.is_parted(holder)).collect();
    if !more.is_empty() {
        wrongs.push(format!("{more:?} are in {} and nobody put them there", group.name));
    }
}

fn judge_departments(facts: &Facts, wrongs: &mut Vec<String>) {
    let mut needed = BTreeSet::new();
    for person in facts.people.iter().filter(|person| facts.wants(person)) {
        // Whoever other rules would change is placed when a plan permits it.
        let held = facts.standing(person).is_some_and(|standing| {
            standing.held_by().starts_with("mapping:")
                || facts.is_by_earlier_rules(standing) && standing.is(&["held", "waiting"])
        });
        // Nor is anybody placed who is a contact for now.
        let held = held || facts.contact(person).is_some();
        for (path, length) in facts.paths(person).iter().flat_map(|path| (1..=path.len()).map(move |n| (path, n))) {
            let part = path.get(..length).unwrap_or_default();
            match facts.department(part) {
                Some(id) => drop(needed.insert(id)),
                None if held || facts.lacks_number(person) => {}
                None if facts.units(part).any(|unit| unit.is(&EXCUSING)) => {}
                None => wrongs.push(format!("there is no department {}", part.join(" / "))),
            }
        }
    }
    for department in facts.departments.values().filter(|department| department.id != ROOT && department.ours) {
        let Department { id, name, heads: heads_there, .. } = department;
        let standing = facts.standings.values().find(|standing| {
            standing.resource_kind == "org_unit" && standing.remote_id.as_deref() == Some(id.to_string().as_str())
        });
        let strangers =
            facts.is_occupied(*id) || facts.foreign_departments.iter().any(|other| facts.is_below(*other, *id));
        let held = standing.is_some_and(|standing| standing.is(&EXCUSING));
        // What is below may be held, or somebody without a usable number may belong there.
        let below = facts.standings.values().any(|other| {
            let there = other.remote_id.as_ref().and_then(|id| id.parse().ok());
            other.resource_kind == "org_unit"
                && other.is(&EXCUSING)
                && (there.is_some_and(|there| facts.is_below(there, *id))
                    || standing.is_some_and(|standing| facts.belongs_below(other, standing)))
        });
        // Whoever other rules would change belongs where they did until a plan permits it, and whose removal is held is
        // where they were. Whoever moved departments by hand may have taken them to elsewhere.
        let remapped = facts.standings.values().any(|standing| {
            standing.held_by().starts_with("mapping:")
                || facts.is_by_earlier_rules(standing) && standing.is(&["held", "waiting"])
                || standing.state == "held" && standing.verb() == "delete"
        });
        let numberless = facts.people.iter().any(|person| facts.lacks_number(person));
        let unplaced = remapped || numberless;
        if !needed.contains(id) && !strangers && !held && !below && !unplaced {
            wrongs.push(format!("department {name} ({id}) is ours and for nobody: {standing:?}"));
        }
        if standing.is_none() {
            wrongs.push(format!("department {name} ({id}) is ours and forgotten"));
        }
        let held_at =
            |attribute: &str| standing.and_then(|standing| facts.held_at(ResourceId(standing.resource_id), attribute));
        if let Some(named) = held_at("name").filter(|named| named.value.as_str() != Some(name.as_str()) && !held) {
            wrongs.push(format!("department {name} ({id}) is not called as is held: {named:?}"));
        }
        let heads = match held_at("heads") {
            Some(held) => serde_json::from_value(held.value.clone()).unwrap_or_default(),
            None => facts.heads(*id),
        };
        if (facts.rules.heads || held_at("heads").is_some()) && *heads_there != heads && !held {
            wrongs.push(format!(
                "department {name} ({id}) has the heads {heads_there:?} and not {heads:?}: {standing:?}"
            ));
        }
    }
    for id in &facts.foreign_departments {
        if !facts.departments.contains_key(id) {
            wrongs.push(format!("department {id}, made by hand, is gone"));
        }
    }
    for id in &facts.foreign_people {
        if !facts.users.contains_key(id) {
            wrongs.push(format!("account {id}, made by hand, is gone"));
        }
    }
}
