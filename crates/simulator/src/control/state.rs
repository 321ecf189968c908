//! `GET /_simulator/state`: everything that is stored, sorted by id.
//!
//! Nothing in it depends on time or on the order of calls that led there, apart from generated ids; so two dumps can be
//! compared or hashed.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Serialize, Serializer};

use crate::corp::Corp;
use crate::corp::chats::Chat;
use crate::corp::department::Department;
use crate::corp::external::{ExternalContact, LabelGroup};
use crate::corp::person::{Departure, Person};
use crate::corp::roles::{Role, RoleGroup};
use crate::corp::user::User;
use crate::mobile::Mobile;
use crate::simulator::Simulator;

/// A dump of the organisation.
#[derive(Debug, Serialize)]
pub(super) struct Dump {
    corp_id: String,
    #[serde(serialize_with = "shared_users")]
    users: Vec<Arc<User>>,
    departments: Vec<Department>,
    role_groups: Vec<RoleGroup>,
    roles: Vec<Role>,
    chats: Vec<Chat>,
    external_contacts: Vec<ExternalContact>,
    label_groups: Vec<LabelGroup>,
    invitations: Vec<Invited>,
    people: BTreeMap<String, Person>,
    departures: Vec<Departure>,
}

fn shared_users<S: Serializer>(users: &[Arc<User>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(users.iter().map(AsRef::as_ref))
}

/// An invitation nobody has answered yet.
#[derive(Debug, Serialize)]
struct Invited {
    mobile: Mobile,
    userid: String,
    name: String,
    dept_id_list: Vec<i64>,
    times: u64,
}

/// Dumps the organisation.
pub(super) async fn show(State(simulator): State<Simulator>) -> Json<Dump> {
    Json(simulator.with(|world| dump(&world.corp)))
}

fn dump(corp: &Corp) -> Dump {
    let invitations = corp.invitations.iter().map(|(mobile, invitation)| Invited {
        mobile: mobile.clone(),
        userid: invitation.draft.userid.clone(),
        name: invitation.draft.name.clone(),
        dept_id_list: invitation.draft.dept_id_list.clone(),
        times: invitation.times,
    });
    let mut departures = corp.departures.clone();
    departures.sort_by(|one, other| one.userid.cmp(&other.userid));
    Dump {
        corp_id: corp.id.clone(),
        users: corp.users.snapshot(),
        departments: corp.departments.iter().cloned().collect(),
        role_groups: corp.roles.groups().cloned().collect(),
        roles: corp.roles.iter().cloned().collect(),
        chats: corp.chats.iter().cloned().collect(),
        external_contacts: corp.external.iter().cloned().collect(),
        label_groups: corp.external.label_groups().to_vec(),
        invitations: invitations.collect(),
        people: corp.people.iter().map(|(mobile, person)| (mobile.to_string(), person.clone())).collect(),
        departures,
    }
}
