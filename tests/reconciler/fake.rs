//! A DingTalk in memory, as strict as the real one where the loop depends on it, that breaks when it is told to.
//!
//! Every call has a text (`create account ada`, `read org_unit 3`), which faults are aimed at. A call can be refused,
//! lose its answer before or after its work, wait at a gate, or never end, as when the process dies in its middle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rollcall_dingtalk::DingTalkSchema;
use rollcall_provisioning::budget::BoxFuture;
use rollcall_provisioning::connector::{
    Applied, Connector, ConnectorError, Cursor, ErrorClass, Named, Page, TargetSchema,
};
use rollcall_provisioning::entity::{self, Attributes, Entity, EntityKind};
use rollcall_provisioning::plan::Action;
use serde_json::Value;
use tokio::sync::Notify;

use crate::circles::most;
use crate::holdings::Holdings;

/// The remote id of the department at the top.
pub(crate) const ROOT: &str = "1";

/// A point in a call where a test holds it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    reached: Notify,
    open: Notify,
}

impl Gate {
    /// Waits until a call stands at the gate.
    pub(crate) async fn reached(&self) -> anyhow::Result<()> {
        Ok(tokio::time::timeout(Duration::from_secs(20), self.reached.notified()).await?)
    }

    /// Lets the call go on.
    pub(crate) fn open(&self) {
        self.open.notify_one();
    }
}

/// What becomes of a call.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// Nothing happens, and the answer says why.
    Refused(ConnectorError),
    /// The answer is lost; `done` says whether the work was.
    Lost { done: bool },
    /// The call never ends; `done` says whether the work was done.
    Stuck { done: bool },
    /// The call waits, then does its work.
    Before(Arc<Gate>),
    /// The call does its work, then waits.
    After(Arc<Gate>),
    /// There is a defect in the way to the target.
    Panic,
    /// The call waits, then nothing happens, and the answer says why.
    RefusedAfter(Arc<Gate>, ConnectorError),
}

struct Fault {
    /// Calls whose text contains this…
    aim: String,
    /// …after so many others.
    skip: usize,
    times: usize,
    fate: Fate,
}

#[derive(Default)]
struct Inside {
    holdings: Holdings,
    faults: Vec<Fault>,
    calls: Vec<String>,
}

/// The target.
#[derive(Default)]
pub(crate) struct FakeTarget {
    inside: Mutex<Inside>,
    stuck: Notify,
}

impl FakeTarget {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at or edits what the target holds, as its administrator would.
    pub(crate) fn holdings<T>(&self, look: impl FnOnce(&mut Holdings) -> T) -> T {
        look(&mut self.inside().holdings)
    }

    /// The texts of all calls so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.inside().calls.clone()
    }

    /// How many calls had such a text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.inside().calls.iter().filter(|call| call.contains(text)).count()
    }

    /// Gives the next `times` calls with such a text that fate.
    pub(crate) fn on(&self, text: &str, times: usize, fate: Fate) {
        self.inside().faults.push(Fault { aim: text.to_owned(), skip: 0, times, fate });
    }

    /// From now on, the call after `skip` others never ends.
    pub(crate) fn stick_after(&self, skip: usize, done: bool) {
        self.inside().faults.push(Fault { aim: String::new(), skip, times: 1, fate: Fate::Stuck { done } });
    }

    /// Forgets all faults.
    pub(crate) fn heal(&self) {
        self.inside().faults.clear();
    }

    /// Waits until a call is stuck.
    pub(crate) async fn stuck(&self) {
        self.stuck.notified().await;
    }

    /// An invited person accepts: they have an account, with a userid that DingTalk chose.
    pub(crate) fn accept(&self, mobile: &str, userid: &str) {
        self.holdings(|held| {
            let place = held.invited.iter().position(|(number, _, _)| number == mobile);
            assert!(place.is_some(), "nobody with this number was invited");
            if let Some(place) = place {
                let (_, _, attributes) = held.invited.remove(place);
                held.accounts.insert(userid.to_owned(), attributes);
            }
        });
    }

    fn fate(&self, call: String) -> Option<Fate> {
        let mut inside = self.inside();
        let fault = inside.faults.iter_mut().find(|fault| fault.times > 0 && call.contains(&fault.aim));
        let fate = fault.and_then(|fault| {
            if fault.skip > 0 {
                fault.skip -= 1;
                return None;
            }
            fault.times -= 1;
            Some(fault.fate.clone())
        });
        inside.calls.push(call);
        fate
    }

    #[expect(clippy::panic, reason = "one of the fates")]
    async fn call<T>(
        &self,
        text: String,
        work: impl FnOnce(&mut Holdings) -> Result<T, ConnectorError>,
    ) -> Result<T, ConnectorError> {
        match self.fate(text) {
            None => self.holdings(work),
            Some(Fate::Refused(error)) => Err(error),
            Some(Fate::Panic) => panic!("a defect, as the test wants it"),
            Some(Fate::Lost { done }) => {
                if done {
                    let _ = self.holdings(work);
                }
                Err(ConnectorError { outcome_unknown: true, ..refusal(ErrorClass::Transient, "lost", None) })
            }
            Some(Fate::Stuck { done }) => {
                if done {
                    let _ = self.holdings(work);
                }
                self.stuck.notify_one();
                std::future::pending().await
            }
            Some(Fate::Before(gate)) => {
                gate.reached.notify_one();
                gate.open.notified().await;
                self.holdings(work)
            }
            Some(Fate::RefusedAfter(gate, error)) => {
                gate.reached.notify_one();
                gate.open.notified().await;
                Err(error)
            }
            Some(Fate::After(gate)) => {
                let end = self.holdings(work);
                gate.reached.notify_one();
                gate.open.notified().await;
                end
            }
        }
    }
}

/// A refusal as the connector would report it.
pub(crate) fn refusal(class: ErrorClass, code: &str, attribute: Option<&'static str>) -> ConnectorError {
    ConnectorError {
        class,
        code: code.to_owned(),
        message: format!("The target said {code}."),
        advice: "Do something.".to_owned(),
        attribute,
        retry_after: None,
        outcome_unknown: false,
    }
}

/// A text of an attribute; empty when it has none.
pub(crate) fn text<'a>(attributes: &'a Attributes, name: &str) -> &'a str {
    attributes.get(name).and_then(Value::as_str).unwrap_or("")
}

pub(crate) fn department(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

impl Connector for FakeTarget {
    fn schema(&self) -> &dyn TargetSchema {
        &DingTalkSchema
    }

    fn account<'a>(&'a self, remote_id: &'a str) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(self.call(format!("read account {remote_id}"), move |held| {
            if held.hidden_reads > 0 {
                held.hidden_reads -= 1;
                return Ok(None);
            }
            let found = held.accounts.get(remote_id).cloned();
            Ok(found.map(|attributes| Entity { remote_id: remote_id.to_owned(), attributes }))
        }))
    }

    fn account_by_mobile<'a>(&'a self, mobile: &'a str) -> BoxFuture<'a, Result<Option<String>, ConnectorError>> {
        Box::pin(self.call(format!("find account {mobile}"), move |held| {
            let mut all = held.accounts.iter();
            Ok(all.find(|(_, account)| text(account, entity::MOBILE) == mobile).map(|(userid, _)| userid.clone()))
        }))
    }

    fn contact_by_mobile<'a>(&'a self, mobile: &'a str) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(self.call(format!("find contact {mobile}"), move |held| {
            let found = held.contacts.iter().find(|(_, contact)| text(contact, entity::MOBILE) == mobile);
            Ok(found.map(|(id, contact)| Entity { remote_id: id.clone(), attributes: contact.clone() }))
        }))
    }

    fn org_unit<'a>(&'a self, remote_id: &'a str) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(self.call(format!("read org_unit {remote_id}"), move |held| {
            let found = held.departments.get(&department(remote_id)).cloned();
            Ok(found.map(|attributes| Entity { remote_id: remote_id.to_owned(), attributes }))
        }))
    }

    fn org_unit_by_name<'a>(
        &'a self,
        parent: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(self.call(format!("find org_unit {name}"), move |held| {
            if !held.has_department(department(parent)) {
                return Err(refusal(ErrorClass::MissingReference, "60003", Some(entity::PARENT)));
            }
            let named = |(_, other): &(&u64, &Attributes)| {
                text(other, entity::PARENT) == parent && text(other, entity::NAME) == name
            };
            let found = held.departments.iter().find(named);
            Ok(found.map(|(id, attributes)| Entity { remote_id: id.to_string(), attributes: attributes.clone() }))
        }))
    }

    fn children<'a>(&'a self, org_unit: &'a str) -> BoxFuture<'a, Result<Vec<Named>, ConnectorError>> {
        Box::pin(self.call(format!("list org_units in {org_unit}"), move |held| {
            let within = held.departments.iter().filter(|(_, other)| text(other, entity::PARENT) == org_unit);
            Ok(within
                .map(|(id, other)| Named { remote_id: id.to_string(), name: text(other, entity::NAME).to_owned() })
                .collect())
        }))
    }

    fn entity<'a>(
        &'a self,
        kind: EntityKind,
        remote_id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        match kind {
            EntityKind::Account => self.account(remote_id),
            EntityKind::OrgUnit => self.org_unit(remote_id),
            EntityKind::Contact => Box::pin(self.call(format!("read contact {remote_id}"), move |held| {
                let found = held.contacts.get(remote_id).cloned();
                Ok(found.map(|attributes| Entity { remote_id: remote_id.to_owned(), attributes }))
            })),
            _ => Box::pin(self.call(format!("read {} {remote_id}", kind.as_str()), move |held| {
                let found = held.circles.get(&department(remote_id));
                Ok(found
                    .map(|circle| Entity { remote_id: remote_id.to_owned(), attributes: circle.attributes.clone() }))
            })),
        }
    }

    fn by_name<'a>(
        &'a self,
        kind: EntityKind,
        within: Option<&'a str>,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(self.call(format!("find {} {name}", kind.as_str()), move |held| {
            Ok(held.role(within.unwrap_or_default(), name))
        }))
    }

    fn members<'a>(
        &'a self,
        kind: EntityKind,
        remote_id: &'a str,
        from: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Page<String>, ConnectorError>> {
        Box::pin(self.call(format!("list {} members", kind.as_str()), move |held| {
            let at: usize = from.map_or(0, |from| from.place().parse().unwrap_or(0));
            let circle = held.circles.get(&department(remote_id));
            let all: Vec<String> = circle.into_iter().flat_map(|circle| circle.members.iter().cloned()).collect();
            let items: Vec<String> = all.iter().skip(at).take(100).cloned().collect();
            let place = at + items.len();
            let next = (place < all.len()).then(|| Cursor::start(place.to_string()));
            Ok(Page { items, next })
        }))
    }

    fn most_members(&self, kind: EntityKind, adding: bool) -> usize {
        most(kind == EntityKind::Chat, adding)
    }

    fn capacity(&self, kind: EntityKind) -> Option<usize> {
        (kind == EntityKind::Chat).then_some(1_000)
    }

    fn repeatable(&self, _kind: EntityKind) -> bool {
        true
    }

    fn apply<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<Applied, ConnectorError>> {
        let kind = action.kind().as_str();
        let whose = match action {
            Action::Create { attributes, .. } => text(attributes, entity::NAME).to_owned(),
            other => self.name_of(kind, other.remote_id().unwrap_or_default()),
        };
        let manager = if action.attributes().contains(&entity::MANAGER) { " with manager" } else { "" };
        let call = format!("{} {kind} {whose}{manager}", action.verb());
        Box::pin(self.call(call, move |held| held.apply(action)))
    }

    fn root_org_unit(&self) -> &str {
        ROOT
    }
}

impl FakeTarget {
    fn name_of(&self, kind: &str, remote_id: &str) -> String {
        self.holdings(|held| {
            let found = match kind {
                "account" => held.accounts.get(remote_id),
                "contact" => held.contacts.get(remote_id),
                "role" | "chat" => held.circles.get(&department(remote_id)).map(|circle| &circle.attributes),
                _ => held.departments.get(&department(remote_id)),
            };
            found.map_or(remote_id, |attributes| text(attributes, entity::NAME)).to_owned()
        })
    }
}
