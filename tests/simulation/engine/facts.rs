//! What is the case when a run is judged: the directory, DingTalk, and what the product says of itself.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::directory::{Group, Person};
use super::enterprise;
use super::hand::{self, dept_id, list, text};
use super::rules::{Groups, Logins, Rules};
use super::run::Run;
use super::undoing::Held;

/// The role group that holds what groups become.
const ROLE_GROUP: &str = "Rollcall";
/// The department at the top.
pub(crate) const ROOT: i64 = 1;

/// How a delivery stands, and what is remembered of its entity.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Standing {
    pub(crate) resource_kind: String,
    pub(crate) resource_id: Uuid,
    pub(crate) state: String,
    pub(crate) error_code: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) held_by: Option<String>,
    waiting_for: Option<Uuid>,
    /// The version of the mapping under which it was last let through.
    pub(crate) rules: i32,
    pub(crate) proposal: Option<Value>,
    pub(crate) applied_version: Option<i64>,
    pub(crate) version: Option<i64>,
    pub(crate) remote_id: Option<String>,
    /// What a department is called.
    pub(crate) name: Option<String>,
    /// The department above it.
    parent: Option<Uuid>,
}

impl Standing {
    /// The reason that people read.
    pub(crate) fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }

    /// What holds it.
    pub(crate) fn held_by(&self) -> &str {
        self.held_by.as_deref().unwrap_or_default()
    }

    /// The code of the first hindrance.
    pub(crate) fn code(&self) -> &str {
        self.error_code.as_deref().unwrap_or_default()
    }

    /// Whether it is one of these states.
    pub(crate) fn is(&self, states: &[&str]) -> bool {
        states.contains(&self.state.as_str())
    }

    /// Whether something holds it, and a change of this attribute with it.
    pub(crate) fn holds(&self, attribute: &str) -> bool {
        let lines = self.proposal.as_ref().and_then(|proposal| proposal.get("lines")).and_then(Value::as_array);
        let named = |line: &Value| line.get("attribute").and_then(Value::as_str) == Some(attribute);
        self.state == "held" && lines.is_some_and(|lines| lines.iter().any(named))
    }

    /// Whether a guard holds something by earlier rules, and it is told besides what those that count now would do.
    pub(crate) fn tells_besides(&self, what: &str) -> bool {
        let plan = self
            .reason()
            .lines()
            .find_map(|line| line.split_once("of the mapping changes it")?.1.split_once("The plan: "));
        let words = plan.map_or("", |(_, plan)| plan).split([' ', ',', '.']);
        self.held_by().starts_with("guard:") && words.filter(|word| !word.is_empty()).any(|word| word == what)
    }

    /// Whether nothing is made for it, because somebody has broken its link.
    pub(crate) fn is_unlinked(&self) -> bool {
        self.state == "held" && self.held_by() == "adoption" && self.verb() == "create"
    }

    /// What a plan would do.
    pub(crate) fn verb(&self) -> &str {
        self.proposal.as_ref().and_then(|p| p.get("verb")).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A department at DingTalk.
#[derive(Clone, Debug)]
pub(crate) struct Department {
    pub(crate) id: i64,
    pub(crate) parent: i64,
    pub(crate) name: String,
    pub(crate) ours: bool,
    pub(crate) heads: BTreeSet<String>,
    /// The department above and the name by which the rules know it: others may be held.
    known_as: (i64, String),
}

/// A chat at DingTalk that is not dissolved.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    pub(crate) title: String,
    pub(crate) owner: String,
    pub(crate) members: BTreeSet<String>,
}

/// All of it.
pub(crate) struct Facts {
    pub(crate) people: Vec<Person>,
    pub(crate) groups: Vec<Group>,
    pub(crate) standings: BTreeMap<ResourceId, Standing>,
    pub(crate) users: BTreeMap<String, Value>,
    pub(crate) departments: BTreeMap<i64, Department>,
    /// What is held against the rules.
    held: Vec<Held>,
    /// Who holds which role of our role group.
    pub(crate) roles: Vec<(String, BTreeSet<String>)>,
    /// The chats, by the id that the product knows each by.
    pub(crate) chats: BTreeMap<String, Chat>,
    /// Whether chats of groups that are gone may be there: by some version of the rules they stay.
    pub(crate) chats_stay: bool,
    /// Numbers under which somebody was invited and has not accepted.
    pub(crate) invited: BTreeSet<String>,
    pub(crate) foreign_people: BTreeSet<String>,
    pub(crate) foreign_departments: BTreeSet<i64>,
    /// Accounts of which somebody has said that they are not this person's.
    pub(crate) parted: BTreeSet<(ResourceId, String)>,
    pub(crate) foreign_contacts: BTreeSet<String>,
    /// The external contacts, by their ids.
    pub(crate) contacts: BTreeMap<String, Value>,
    pub(crate) shirts: BTreeSet<String>,
    /// Accounts that were turned off, and whose sessions were ended after that.
    pub(crate) signed_out: BTreeSet<String>,
    pub(crate) rehearses: bool,
    pub(crate) rules: Rules,
    /// Who is linked to what.
    linked: BTreeMap<String, ResourceId>,
    version: usize,
}

impl Facts {
    /// Reads them.
    pub(crate) async fn read(run: &mut Run<'_>) -> anyhow::Result<Self> {
        let rows: Vec<Standing> = sqlx::query_as(
            "SELECT d.resource_kind, d.resource_id, d.state, d.error_code, d.reason, d.held_by, d.waiting_for, d.mapping_version AS rules, d.proposal,
                    d.applied_version, u.version, l.remote_id, o.name, o.parent_id AS parent
             FROM deliveries d
             LEFT JOIN users u ON u.tenant_id = d.tenant_id AND u.id = d.resource_id
             LEFT JOIN org_units o ON o.target_id = d.target_id AND o.id = d.resource_id
             LEFT JOIN links l ON l.target_id = d.target_id AND l.resource_kind = d.resource_kind
                              AND l.resource_id = d.resource_id",
        )
        .fetch_all(&mut run.stage.admin)
        .await?;
        let state = hand::state(&run.simulator).await?;
        let departments = list(&state, "departments").iter().map(|entry| {
            let parent = entry.get("parent_id").and_then(Value::as_i64).unwrap_or_default();
            let (id, name) = (dept_id(entry), text(entry, "name").to_owned());
            let heads =
                list(entry, "dept_manager_userid_list").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let known_as = (parent, name.clone());
            (id, Department { id, parent, name, ours: hand::is_ours(entry), heads, known_as })
        });
        let mut departments: BTreeMap<i64, Department> = departments.collect();
        let standings: BTreeMap<ResourceId, Standing> =
            rows.into_iter().map(|row| (ResourceId(row.resource_id), row)).collect();
        let people = standings.iter().filter(|(_, one)| one.resource_kind == ResourceKind::User.as_str());
        let linked = people.filter_map(|(id, one)| Some((one.remote_id.clone()?, *id))).collect();
        let held: Vec<Held> = run.overrides().await?.into_iter().filter(Held::is_live).collect();
        for held in held.iter().filter(|held| held.resource_kind == ResourceKind::OrgUnit.as_str()) {
            let id = standings.get(&ResourceId(held.resource_id)).and_then(|one| one.remote_id.as_ref()?.parse().ok());
            let Some(department) = id.and_then(|id: i64| departments.get_mut(&id)) else { continue };
            match (held.attribute.as_str(), held.against.as_str()) {
                ("name", Some(name)) => name.clone_into(&mut department.known_as.1),
                ("parent", Some(parent)) => department.known_as.0 = parent.parse().unwrap_or(ROOT),
                _ => {}
            }
        }
        let users = list(&state, "users").iter().map(|entry| (text(entry, "userid").to_owned(), entry.clone()));
        let contacts = list(&state, "external_contacts").iter();
        let contacts = contacts.map(|entry| (text(entry, "user_id").to_owned(), entry.clone()));
        let invitations = run.watch.calls.iter().filter(|call| call.errcode == Some(40_103));
        let invited = invitations.map(|call| text(&call.body, "mobile").to_owned());
        let ours = list(&state, "role_groups").iter().find(|group| text(group, "name") == ROLE_GROUP);
        let group_id = ours.and_then(|group| group.get("group_id"));
        let roles = list(&state, "roles").iter().filter(|role| role.get("group_id") == group_id);
        let roles = roles.map(|role| {
            let holders = role.get("holders").and_then(Value::as_object).into_iter().flatten();
            (text(role, "name").to_owned(), holders.map(|(userid, _)| userid.clone()).collect())
        });
        let chats = list(&state, "chats").iter().filter(|chat| chat.get("disbanded") != Some(&Value::Bool(true)));
        let chats = chats.map(|chat| {
            let members = list(chat, "members").iter().filter_map(Value::as_str).map(str::to_owned).collect();
            let (title, owner) = (text(chat, "title").to_owned(), text(chat, "owner").to_owned());
            let id = format!("{}/{}", text(chat, "chat_id"), text(chat, "open_conversation_id"));
            (id, Chat { title, owner, members })
        });
        Ok(Self {
            chats: chats.collect(),
            chats_stay: run.watch.versions.iter().any(|rules| rules.groups == Groups::Chats),
            people: run.directory.people.clone(),
            groups: run.directory.groups.clone(),
            roles: roles.collect(),
            standings,
            linked,
            users: users.collect(),
            departments,
            held,
            invited: invited.collect(),
            foreign_people: run.watch.foreign_people.clone(),
            foreign_departments: run.watch.foreign_departments.clone(),
            parted: run.watch.parted.clone(),
            foreign_contacts: run.watch.foreign_contacts.clone(),
            contacts: contacts.collect(),
            shirts: run.watch.shirts.clone(),
            signed_out: enterprise::signed_out(&run.watch.calls),
            rules: run.rules,
            version: run.watch.versions.len(),
            rehearses: run.stage.mode(run.directory.tenant).await? == "rehearsal",
        })
    }

    /// Whether somebody waits for another resource by earlier rules: until that comes no plan is offered what the rules
    /// that count now would change.
    pub(crate) fn waits_by_earlier_rules(&self, standing: &Standing) -> bool {
        let waits = match standing.state.as_str() {
            "waiting" => standing.code() == "waiting_for_resource",
            // A person has to see to something besides.
            "needs_attention" => standing.waiting_for.is_some(),
            _ => false,
        };
        self.is_by_earlier_rules(standing) && waits
    }

    /// Whether an account is there by other rules than those that count now.
    pub(crate) fn is_by_earlier_rules(&self, standing: &Standing) -> bool {
        usize::try_from(standing.rules).is_ok_and(|version| version < self.version)
    }

    /// What is held of a resource.
    pub(crate) fn held(&self, id: ResourceId) -> impl Iterator<Item = &Held> {
        self.held.iter().filter(move |held| held.resource_id == id.0)
    }

    /// What is held of one attribute of a resource.
    pub(crate) fn held_at(&self, id: ResourceId, attribute: &str) -> Option<&Held> {
        self.held(id).find(|held| held.attribute == attribute)
    }

    /// Whether somebody is to have an account.
    pub(crate) fn wants(&self, person: &Person) -> bool {
        self.includes(person) && !self.rules.is_contact(person)
    }

    /// Whether there is no number for an account that needs one.
    pub(crate) fn lacks_number(&self, person: &Person) -> bool {
        self.wants(person) && self.rules.login(person) == Logins::Normal && !person.has_number()
    }

    /// Whether somebody is to be an external contact.
    pub(crate) fn wants_contact(&self, person: &Person) -> bool {
        self.includes(person) && self.rules.is_contact(person)
    }

    fn includes(&self, person: &Person) -> bool {
        self.rules.includes(person) && self.held_at(person.id, "account").is_none()
    }

    /// The names from the top to each department in which somebody is to be.
    pub(crate) fn paths(&self, person: &Person) -> Vec<Vec<String>> {
        let held = self.held_at(person.id, "org_units");
        held.map_or_else(
            || self.rules.paths(person),
            |held| serde_json::from_value(held.value.clone()).unwrap_or_default(),
        )
    }

    /// How somebody stands.
    pub(crate) fn standing(&self, person: &Person) -> Option<&Standing> {
        self.standings.get(&person.id)
    }

    /// The department at the end of a path.
    pub(crate) fn department(&self, path: &[String]) -> Option<i64> {
        path.iter().try_fold(ROOT, |above, name| {
            let found = |department: &&Department| department.known_as == (above, name.clone());
            self.departments.values().find(found).map(|department| department.id)
        })
    }

    /// The account that the product says is this person's, or else one under a userid that it would ask for.
    pub(crate) fn account(&self, person: &Person) -> Option<&Value> {
        let linked = self.standings.get(&person.id).and_then(|standing| standing.remote_id.as_ref());
        linked.and_then(|id| self.users.get(id)).or_else(|| self.accounts(person).next())
    }

    /// The external contact that the product says is this person.
    pub(crate) fn contact(&self, person: &Person) -> Option<&Value> {
        let linked = self.standings.get(&person.id)?.remote_id.as_ref()?;
        self.contacts.get(linked)
    }

    /// The account that is linked, and all under userids that the product would ask for, unless somebody has said that
    /// they are another's, or nobody's.
    pub(crate) fn accounts(&self, person: &Person) -> impl Iterator<Item = &Value> {
        let (id, first) = (person.id, person.id.0.simple().to_string());
        let theirs = move |userid: &String| match self.linked.get(userid) {
            Some(holder) => *holder == id,
            None => userid.starts_with(&first) && !self.is_parted(userid),
        };
        self.users.iter().filter(move |(userid, _)| theirs(userid)).map(|(_, user)| user)
    }

    /// Whether somebody has said of whose account it is not.
    pub(crate) fn is_parted(&self, userid: &str) -> bool {
        self.parted.iter().any(|(_, parted)| parted == userid)
    }

    /// Whether somebody is in a department or below it.
    pub(crate) fn is_occupied(&self, id: i64) -> bool {
        self.users.values().any(|user| Self::at(user).iter().any(|at| self.is_below(*at, id)))
    }

    /// The departments of an account.
    pub(crate) fn at(account: &Value) -> BTreeSet<i64> {
        list(account, "dept_id_list").iter().filter_map(Value::as_i64).collect()
    }

    /// The accounts that are to head a department: they are in it, and the rules say so.
    pub(crate) fn heads(&self, id: i64) -> BTreeSet<String> {
        // Of those whom other rules would change nothing is noted before a plan permits it.
        let held = |person: &&Person| self.standing(person).is_some_and(|one| one.held_by().starts_with("mapping:"));
        let heads = self.people.iter().filter(|person| self.wants(person) && self.rules.is_head(person));
        let heads = heads.filter(|person| !held(person));
        let there =
            heads.filter(|person| self.rules.paths(person).iter().any(|path| self.department(path) == Some(id)));
        // Whoever is held somewhere heads what the rules want them in.
        let there = there.filter(|person| self.paths(person).iter().any(|path| self.department(path) == Some(id)));
        let accounts =
            there.filter_map(|person| self.account(person)).filter(|account| Self::at(account).contains(&id));
        accounts.map(|account| text(account, "userid").to_owned()).collect()
    }

    /// Whether a department is another one or below it.
    pub(crate) fn is_below(&self, mut id: i64, above: i64) -> bool {
        while id != above {
            match self.departments.get(&id) {
                Some(department) => id = department.parent,
                None => return false,
            }
        }
        true
    }

    /// Whether a department belongs below another one, wherever somebody has moved it to.
    pub(crate) fn belongs_below(&self, standing: &Standing, above: &Standing) -> bool {
        let mut parent = standing.parent;
        while let Some(id) = parent {
            if id == above.resource_id {
                return true;
            }
            parent = self.standings.get(&ResourceId(id)).and_then(|standing| standing.parent);
        }
        false
    }

    /// How the departments stand whose names lie on a path.
    pub(crate) fn units<'a>(&'a self, path: &'a [String]) -> impl Iterator<Item = &'a Standing> {
        let kind = ResourceKind::OrgUnit.as_str();
        self.standings.values().filter(move |standing| {
            standing.resource_kind == kind && standing.name.as_ref().is_some_and(|name| path.contains(name))
        })
    }
}
