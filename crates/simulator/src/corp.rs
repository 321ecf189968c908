//! The organisation: its people, its departments, the people outside it, and the rules that keep them consistent.
//!
//! Every change goes through a method here, is checked completely before anything is written, and counts one up in
//! [`Corp::revision`]; so a refused call changes nothing, and the call log knows which calls changed something.

pub(crate) mod chat_lifecycle;
pub(crate) mod chats;
pub(crate) mod department;
mod department_fields;
mod department_lifecycle;
mod departments;
pub(crate) mod enterprise;
pub(crate) mod external;
pub(crate) mod person;
pub(crate) mod role_lifecycle;
pub(crate) mod roles;
pub(crate) mod user;
mod user_fields;
mod user_lifecycle;
mod users;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::mobile::Mobile;
use crate::options::{Options, Organisation, Switches};
use crate::random::Random;

use chats::Chats;
use department::Department;
use departments::Departments;
use external::ExternalContacts;
use person::{Departure, Invitation, Person};
use roles::Roles;
use user::User;
use users::Users;

/// Id of the department that is the organisation itself.
pub(crate) const ROOT: i64 = 1;

/// Who makes a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// An app, through the API.
    Api,
    /// An admin in DingTalk's own console, who is free of some of the API's limits.
    Console,
}

/// The stored organisation.
#[derive(Clone, Debug)]
pub(crate) struct Corp {
    /// The organisation's id.
    pub(crate) id: String,
    /// Facts an API caller cannot change.
    pub(crate) organisation: Organisation,
    /// The open questions.
    pub(crate) switches: Switches,
    /// Members.
    pub(crate) users: Users,
    /// Departments.
    pub(crate) departments: Departments,
    /// Role groups and roles.
    pub(crate) roles: Roles,
    /// External contacts and their labels.
    pub(crate) external: ExternalContacts,
    /// Group chats.
    pub(crate) chats: Chats,
    /// DingTalk users outside the organisation that someone has told us about, by number.
    pub(crate) people: BTreeMap<Mobile, Person>,
    /// Invitations nobody has answered yet, by number.
    pub(crate) invitations: BTreeMap<Mobile, Invitation>,
    /// Those who have left, oldest first.
    pub(crate) departures: Vec<Departure>,
    /// Grows with every change.
    pub(crate) revision: u64,
    last_departure: HashMap<Mobile, usize>,
    departed_ids: BTreeSet<String>,
    seed: u64,
    random: Random,
}

impl Corp {
    /// A new organisation with nothing but its root department.
    pub(crate) fn new(options: &Options) -> Self {
        let (organisation, seed) = (options.organisation.clone(), options.seed);
        Self {
            id: options.corp_id.clone(),
            departments: Departments::with_root(&organisation.name, organisation.school_departments),
            organisation,
            switches: options.switches.clone(),
            users: Users::default(),
            roles: Roles::with_default_group(),
            external: ExternalContacts::with_default_labels(),
            chats: Chats::default(),
            people: BTreeMap::new(),
            invitations: BTreeMap::new(),
            departures: Vec::new(),
            revision: 0,
            last_departure: HashMap::new(),
            departed_ids: BTreeSet::new(),
            seed,
            random: Random::of_text(seed, "corp"),
        }
    }

    /// The member of that id, if there is one.
    pub(crate) fn find_user(&self, userid: &str) -> Option<&User> {
        self.users.get(userid, self.switches.userid_ignores_case)
    }

    /// Whether a contact range, given by its departments, covers a department. `None` covers everything.
    pub(crate) fn covers_department(&self, range: Option<&BTreeSet<i64>>, dept_id: i64) -> bool {
        range.is_none_or(|range| self.departments.path_to_root(dept_id).iter().any(|id| range.contains(id)))
    }

    /// Whether a contact range covers a person: one department suffices.
    pub(crate) fn covers_user(&self, range: Option<&BTreeSet<i64>>, user: &User) -> bool {
        user.dept_id_list.iter().any(|&id| self.covers_department(range, id))
    }

    /// Everyone in a department or below it, each once.
    pub(crate) fn people_below(&self, dept_id: i64) -> BTreeSet<&str> {
        let subtree = self.departments.subtree(dept_id);
        subtree.iter().flat_map(|&id| self.users.members(id)).collect()
    }

    /// Whether a person is a manager of a department.
    pub(crate) fn leads(&self, userid: &str, dept_id: i64) -> bool {
        self.departments.get(dept_id).is_some_and(|department| department.managers.iter().any(|id| id == userid))
    }

    /// A list whose order is not documented, as the switch wants it.
    pub(crate) fn in_some_order<T>(&self, mut list: Vec<T>) -> Vec<T> {
        if self.switches.reverses_undocumented_order {
            list.reverse();
        }
        list
    }

    fn committed(&mut self) {
        self.revision += 1;
    }
}

/// A department with its members, for reading.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Members of the department and of those below it.
    pub(crate) all: usize,
    /// Direct members.
    pub(crate) direct: usize,
}

impl Corp {
    /// The member counts of a department.
    pub(crate) fn counts(&self, department: &Department) -> Counts {
        Counts {
            all: self.people_below(department.dept_id).len(),
            direct: self.users.members(department.dept_id).count(),
        }
    }
}
