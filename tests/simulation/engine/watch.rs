//! What must hold while a run goes on: nothing that is not ours is touched, nothing is sent that may not be sent, no
//! userid is used twice, guards hold.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_store::projection::{Claim, TargetMode};
use serde_json::Value;
use uuid::Uuid;

use super::contacts;
use super::rules::Rules;
use super::undoing::Promises;

/// DingTalk has sent somebody an invitation.
const INVITED: i64 = 40_103;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// From the moment at which a guard lets something pass to the call itself.
const UNDER_WAY: i64 = 2 * MINUTE;

/// One call, as it was carried out.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) at: i64,
    pub(crate) worker: usize,
    pub(crate) api: String,
    pub(crate) body: Value,
    pub(crate) errcode: Option<i64>,
}

impl Call {
    /// The part of the API's path that tells calls apart.
    pub(crate) fn name(&self) -> &str {
        self.api.strip_prefix("/topapi/v2/").unwrap_or(&self.api)
    }

    /// Whether it is about external contacts.
    fn is_about_contacts(&self) -> bool {
        self.api.starts_with("/topapi/extcontact/")
    }

    /// Whether it is to make an account or a contact.
    pub(crate) fn makes_somebody(&self) -> bool {
        matches!(self.name(), "user/create" | "/topapi/extcontact/create")
    }

    fn changes_somebody(&self) -> bool {
        matches!(self.name(), "user/update" | "/topapi/extcontact/update")
    }

    /// The title that somebody gets.
    fn title(&self) -> &str {
        let about = self.body.get("contact").unwrap_or(&self.body);
        about.get("title").and_then(Value::as_str).unwrap_or_default()
    }

    /// The account that it is about, if it names one.
    pub(crate) fn userid(&self) -> &str {
        let named = self.body.get("userid").or_else(|| self.body.get("userId"));
        named.and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is made to change something.
    pub(crate) fn writes(&self) -> bool {
        let verb = self.api.rsplit('/').next().unwrap_or_default();
        matches!(
            verb,
            "create"
                | "update"
                | "delete"
                | "add_role_group"
                | "add_role"
                | "update_role"
                | "deleterole"
                | "addrolesforemps"
                | "removerolesforemps"
                | "add"
                | "disband"
                | "enable"
                | "disable"
                | "signOut"
        )
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let answer = self.errcode.map_or_else(|| "lost".to_owned(), |code| code.to_string());
        write!(f, "{:>10} w{} {} {} -> {answer}", self.at, self.worker, self.name(), self.body)
    }
}

/// Whether nothing but the heads of a department would change: also one that was there before has those of the rules.
fn is_about_heads_alone(body: &Value) -> bool {
    let about = ["dept_id", "dept_manager_userid_list", "force_update_fields", "language"];
    body.as_object().is_some_and(|body| body.keys().all(|name| about.contains(&name.as_str())))
}

/// Something that a guard counts.
#[derive(Clone, Debug)]
struct Removal {
    at: i64,
    began: i64,
    kind: ResourceKind,
    resource: ResourceId,
    permitted: bool,
}

/// What is known of a run while it goes on.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) calls: Vec<Call>,
    /// What the script made by hand in DingTalk.
    pub(crate) foreign_people: BTreeSet<String>,
    pub(crate) foreign_departments: BTreeSet<i64>,
    /// Accounts of which somebody has said that they are not this person's.
    pub(crate) parted: BTreeSet<(ResourceId, String)>,
    pub(crate) foreign_contacts: BTreeSet<String>,
    /// The numbers of those whom the script made.
    pub(crate) numbers: BTreeMap<String, String>,
    /// Numbers under which we invited somebody.
    invited: BTreeSet<String>,
    /// Accounts that were given a shirt by hand.
    pub(crate) shirts: BTreeSet<String>,
    /// Userids of accounts that are gone.
    pub(crate) departed: BTreeSet<String>,
    /// When somebody's account was asked for last.
    created: BTreeMap<ResourceId, i64>,
    /// Since when the mapping counts.
    pub(crate) mapped_at: i64,
    /// The versions of the mapping after the one that all begin with.
    pub(crate) versions: Vec<Rules>,
    /// Whose account a userid is or was.
    owners: BTreeMap<String, ResourceId>,
    /// Plans that the script applied.
    pub(crate) applied: BTreeSet<Uuid>,
    /// Floors of the guards since when, and what they were before.
    pub(crate) floors: Vec<(i64, Option<u64>)>,
    removals: Vec<Removal>,
    /// What is held against the rules.
    pub(crate) promises: Promises,
    pub(crate) wrongs: Vec<String>,
}

impl Watch {
    /// What is known at the beginning.
    pub(crate) fn new() -> Self {
        Self { foreign_people: [contacts::KEEPER.to_owned()].into(), ..Self::default() }
    }

    fn wrong(&mut self, what: String) {
        self.wrongs.push(what);
    }

    fn rules(&self, version: usize) -> Rules {
        version.checked_sub(1).and_then(|at| self.versions.get(at)).copied().unwrap_or_default()
    }

    /// A call is about to be carried out for a claim that was made at `began`.
    pub(crate) fn before(&mut self, call: &Call, claim: Option<&Claim>, began: i64) {
        if !call.writes() {
            return;
        }
        let Some(claim) = claim else { return self.wrong(format!("a write without a claim: {call}")) };
        let department = call.body.get("dept_id").and_then(Value::as_i64);
        if let Some(id) = department.filter(|id| *id == 1 || self.foreign_departments.contains(id))
            && !(call.name() == "department/update" && is_about_heads_alone(&call.body))
        {
            self.wrong(format!("department {id} is not ours: {call}"));
        }
        let userid = call.userid().to_owned();
        // Whoever was invited and is there since is the one who was invited, by whatever way they came.
        if self.numbers.get(&userid).is_some_and(|number| self.invited.contains(number)) {
            self.foreign_people.remove(&userid);
        }
        if self.foreign_people.contains(&userid) {
            self.wrong(format!("account {userid} is not ours: {call}"));
        }
        if self.parted.iter().any(|(_, parted)| *parted == userid) {
            self.wrong(format!("account {userid} is left as it is: {call}"));
        }
        if call.is_about_contacts() && self.foreign_contacts.contains(contacts::named(&call.body)) {
            self.wrong(format!("the contact is not ours: {call}"));
        }
        if call.name() == "user/create" && self.departed.contains(&userid) {
            self.wrong(format!("userid {userid} is used again: {call}"));
        }
        if call.name() == "user/create"
            && let Some(owner) = self.owners.insert(userid.clone(), claim.resource)
            && owner != claim.resource
        {
            self.wrong(format!("userid {userid} was that of {owner}: {call}"));
        }
        match claim.permit {
            Some(plan) if !self.applied.contains(&plan) => self.wrong(format!("plan {plan} was never applied: {call}")),
            None if claim.mode == TargetMode::Rehearsal => self.wrong(format!("a write in rehearsal: {call}")),
            _ => {}
        }
        if call.makes_somebody() {
            self.created.insert(claim.resource, call.at);
        }
        let fresh = self.created.get(&claim.resource).is_some_and(|at| *at >= self.mapped_at);
        if call.changes_somebody() && !fresh && claim.permit.is_none() {
            let rules = usize::try_from(claim.let_through).ok().map(|version| self.rules(version));
            let title = call.title().to_owned();
            let plain = title.chars().any(char::is_lowercase);
            let held = self.promises.titles.get(&claim.resource).is_some_and(|titles| titles.contains(&title));
            // What an admin wrote goes back with the rest of a contact.
            let by_hand = call.is_about_contacts() && title.starts_with("hand");
            if !title.is_empty() && !held && !by_hand && rules.is_some_and(|rules| rules.capitals == plain) {
                self.wrong(format!("a title not by version {}, without a plan: {call}", claim.let_through));
            }
        }
        if claim.mode == TargetMode::Paused {
            self.wrong(format!("a write although paused: {call}"));
        }
        if matches!(call.name(), "user/delete" | "department/delete" | "/topapi/extcontact/delete") {
            self.removals.push(Removal {
                at: call.at,
                began,
                kind: claim.kind,
                resource: claim.resource,
                permitted: claim.permit.is_some(),
            });
        }
    }

    /// A call was carried out.
    pub(crate) fn after(&mut self, call: Call) {
        if call.name() == "user/delete" && call.errcode == Some(0) {
            self.departed.insert(call.body.get("userid").and_then(Value::as_str).unwrap_or_default().to_owned());
        }
        if call.errcode == Some(INVITED) {
            self.invited.insert(call.body.get("mobile").and_then(Value::as_str).unwrap_or_default().to_owned());
        }
        self.calls.push(call);
    }

    /// The highest floor in force from `since` on until `at`; `None` is what guards begin with.
    fn floor(&self, kind: ResourceKind, since: i64, at: i64) -> u64 {
        let usual = if kind == ResourceKind::OrgUnit { 2 } else { 5 };
        let mut highest = usual;
        for (from, floor) in self.floors.iter().filter(|(from, _)| *from <= at) {
            let floor = floor.unwrap_or(usual);
            highest = if *from <= since { floor } else { highest.max(floor) };
        }
        highest
    }

    /// Counts what was removed: more than a guard lets pass must be permitted by a plan.
    pub(crate) fn judge_guards(&mut self) {
        let mut found = Vec::new();
        for removal in self.removals.iter().filter(|removal| !removal.permitted) {
            let spans: &[(i64, u64)] = match removal.kind {
                ResourceKind::OrgUnit => &[(HOUR, 1)],
                _ => &[(HOUR, 1), (24 * HOUR, 2), (7 * 24 * HOUR, 4)],
            };
            let floor = self.floor(removal.kind, removal.began, removal.at);
            for (span, times) in spans {
                let within = |other: &&Removal| {
                    other.kind == removal.kind && other.at <= removal.at && other.at > removal.at - span + UNDER_WAY
                };
                let removed: BTreeSet<ResourceId> =
                    self.removals.iter().filter(within).map(|other| other.resource).collect();
                if removed.len() > usize::try_from(floor * times).unwrap_or(usize::MAX) {
                    let minutes = span / MINUTE;
                    found.push(format!(
                        "{} {}s removed within {minutes} minutes, {floor} x {times} may be, at {}",
                        removed.len(),
                        removal.kind,
                        removal.at
                    ));
                }
            }
        }
        self.wrongs.extend(found);
    }
}
