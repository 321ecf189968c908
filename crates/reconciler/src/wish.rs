//! What is wanted of an account, on its way to being fulfilled.

use crate::gate::Asked;
use crate::placing::Placing;
use crate::report::{self, BadManager};
use rollcall_provisioning::connector::{ConnectorError, NORMAL_ACCOUNT, account_kind};
use rollcall_provisioning::delivery::HeldBy;
use rollcall_provisioning::entity::{self, Desired, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{Mapped, PersonKind, Reference};
use rollcall_provisioning::plan::{Action, unique_value};
use rollcall_provisioning::proposal::Proposal;
use rollcall_store::projection::{Handover, Hold, LoadedUser};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// An account on its way to what is wanted.
pub(crate) struct Wish {
    pub(crate) attributes: BTreeMap<String, Option<Value>>,
    pub(crate) findings: Vec<Finding>,
    placing: Placing,
    /// The userid that a new account gets.
    pub(crate) userid: Option<String>,
    /// Attributes that an account keeps as they were when it was created.
    pub(crate) once: BTreeSet<String>,
    /// The manager, when they must be at the target first.
    pub(crate) manager_awaited: Option<Uuid>,
    /// Why the target does not take the manager, although we believe that they are there.
    pub(crate) manager_refused: Option<ConnectorError>,
    /// Values that another account has.
    pub(crate) wants: Vec<String>,
    /// Whether a plan permits it.
    pub(crate) decided: bool,
    /// What guards hold of it.
    pub(crate) held: Option<(Vec<Hold>, Proposal)>,
    /// What waits for another plan than the one that permits the rest.
    pub(crate) waits: Option<(HeldBy, Action, Proposal)>,
    /// Whether a plan permits a part of it.
    pub(crate) in_part: bool,
    /// The attributes of which an override has ended.
    pub(crate) ended: Vec<String>,
}

impl Wish {
    /// What the rules want of a person who belongs where `placing` says.
    ///
    /// `successors` says whether the rules name who takes over from leavers.
    pub(crate) fn new(
        resource: ResourceId,
        mapped: Mapped,
        loaded: &LoadedUser,
        placing: Placing,
        successors: bool,
    ) -> Self {
        let Mapped { mut attributes, kind, manager, mut findings, userid, once, .. } = mapped;
        attributes.extend(placing.attributes());
        if matches!(kind, PersonKind::Sso | PersonKind::DingTalk) {
            attributes.insert(entity::ENABLED.to_owned(), Some(json!(true)));
        }
        let mut manager_awaited = None;
        match (&manager, &loaded.manager) {
            (Reference::LeftAlone, _) => {}
            (Reference::Nobody, _) => {
                attributes.insert(entity::MANAGER.to_owned(), None);
            }
            (Reference::To(_), Some(found)) if found.id == resource.0 => {
                findings.push(report::bad_manager(BadManager::Themselves));
            }
            (Reference::To(_), Some(found)) if !found.present => match &found.handover {
                Some(Handover::To(heir, _)) if *heir == resource.0 => {
                    // Whoever takes over reports to nobody until the source says to whom.
                    attributes.insert(entity::MANAGER.to_owned(), None);
                }
                Some(Handover::To(_, Some(remote_id))) => {
                    attributes.insert(entity::MANAGER.to_owned(), Some(json!(remote_id)));
                }
                Some(Handover::To(heir, None)) => manager_awaited = Some(*heir),
                // The departure of the manager finds out who takes over, and this person is looked at again then. While
                // something holds it the manager stays.
                None if successors || found.remote_id.is_some() => {}
                // A manager who left manages nobody; the source will name the next one.
                left_to => {
                    attributes.insert(entity::MANAGER.to_owned(), None);
                    if let Some(Handover::Nobody(why)) = left_to {
                        findings.extend(report::manager_left(found.id, why));
                    }
                }
            },
            (Reference::To(_), Some(found)) => match &found.remote_id {
                Some(remote_id) => {
                    attributes.insert(entity::MANAGER.to_owned(), Some(json!(remote_id)));
                }
                None => manager_awaited = Some(found.id),
            },
            (Reference::To(_), None) => {
                let why = if loaded.manager_ambiguous { BadManager::Several } else { BadManager::Unknown };
                findings.push(report::bad_manager(why));
            }
        }
        Self {
            attributes,
            findings,
            placing,
            userid,
            once,
            manager_awaited,
            manager_refused: None,
            wants: Vec::new(),
            decided: false,
            held: None,
            waits: None,
            in_part: false,
            ended: Vec::new(),
        }
    }

    /// The departments wanted, in the order of their ids; none is the root.
    pub(crate) const fn units(&self) -> &Vec<Uuid> {
        &self.placing.units
    }

    /// A department wanted that is not at the target yet, which a rehearsal does not wait for.
    pub(crate) fn unit_awaited(&self) -> Option<&(Uuid, String)> {
        self.placing.awaited.as_ref().filter(|_| self.attributes.contains_key(entity::ORG_UNITS))
    }

    /// The question whether a step towards it may be sent.
    pub(crate) fn asks<'a>(&'a self, action: &'a Action, observed: &'a Observed) -> Asked<'a> {
        Asked {
            action,
            observed,
            besides: &[],
            paths: &self.placing.paths,
            manager_awaited: self.manager_awaited,
            decided: self.decided,
            by_operator: false,
            by_new_rules: false,
        }
    }

    /// What is wanted of an account of which this much is known.
    pub(crate) fn desired(&self, observed: &Observed) -> Desired {
        let mut attributes = self.attributes.clone();
        if let Observed::Known(account) = observed {
            attributes.retain(|name, _| !self.once.contains(name));
            if account_kind(&account.attributes).is_some_and(|there| there != NORMAL_ACCOUNT) {
                // An account that is normal does not say so.
                attributes.entry(entity::ACCOUNT_KIND.to_owned()).or_insert_with(|| Some(json!(NORMAL_ACCOUNT)));
            }
            if account.attributes.get(entity::ENABLED) == Some(&json!(false)) {
                // Whoever is to have an account may use it, also where the rules would make one of another kind by now.
                attributes.entry(entity::ENABLED.to_owned()).or_insert(Some(json!(true)));
            }
        }
        Desired::Present(attributes)
    }

    /// The number, in the target's form.
    pub(crate) fn mobile(&self) -> Option<&str> {
        mobile(&self.attributes)
    }

    /// A plan permits it but for this step, which waits for another one.
    pub(crate) fn wait(&mut self, by: HeldBy, rest: Action, proposal: Proposal) {
        self.attributes.retain(|name, _| !rest.attributes().contains(&name.as_str()));
        self.in_part = true;
        self.waits = Some((by, rest, proposal));
    }

    /// Guards hold a part of it.
    pub(crate) fn hold(&mut self, holds: Vec<Hold>, proposal: Proposal) {
        match &mut self.held {
            None => self.held = Some((holds, proposal)),
            Some((before, held)) => {
                before.extend(holds);
                held.lines.extend(proposal.lines);
            }
        }
    }

    /// Another account has the value of this attribute. Returns all that are taken.
    pub(crate) fn taken(&mut self, attribute: &str) -> Vec<String> {
        let value = self.attributes.get(attribute).and_then(Option::as_ref);
        self.wants.extend(value.and_then(|value| unique_value(attribute, value)));
        self.wants.clone()
    }
}

pub(crate) fn mobile(attributes: &BTreeMap<String, Option<Value>>) -> Option<&str> {
    attributes.get(entity::MOBILE).and_then(Option::as_ref).and_then(Value::as_str)
}
