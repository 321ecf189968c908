//! A group: it becomes a role or a chat with its members, or a department of theirs, or nothing.

use crate::act::{Acted, Interrupt, Job, ended, held, unread};
use crate::group_gate::{GroupStep, GroupVerdict};
use crate::members::{Moved, Turn};
use crate::{group_report, report};
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::contradiction;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::mapping::{Becomes, Extra, Gone, GroupFacts, MappedGroup, SourceFacts};
use rollcall_provisioning::plan::{Action, Plan, plan, unique_value};
use rollcall_provisioning::window::Nature;
use rollcall_store::projection::{Candidate, GroupLink, Movers, ProjectedGroup};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The role or chat that a group is to become.
#[derive(Debug)]
pub(crate) struct WantedEntity {
    pub(crate) kind: EntityKind,
    pub(crate) name: String,
    /// Of a role.
    role_group: Option<String>,
    /// Of a chat: its owner, as the rule names them.
    pub(crate) owner: Option<String>,
    pub(crate) extra: Extra,
    pub(crate) nested: bool,
    kept: bool,
    findings: Vec<Finding>,
}

/// Who owns a chat.
struct Owner {
    remote_id: String,
    /// Who they are, if they have no account yet, and this is the one that they will most likely have.
    awaited: Option<Uuid>,
}

impl WantedEntity {
    /// `None` when it becomes neither.
    fn of(made: MappedGroup) -> Option<Self> {
        let MappedGroup { becomes, nested, gone, findings, .. } = made;
        let (kind, name, role_group, owner, extra) = match becomes {
            Becomes::Role { name, role_group, extra } => (EntityKind::Role, name, Some(role_group), None, extra),
            Becomes::Chat { name, owner, extra } => (EntityKind::Chat, name, None, owner, extra),
            Becomes::Nothing | Becomes::Department { .. } => return None,
        };
        Some(Self { kind, name, role_group, owner, extra, nested, kept: gone == Gone::Keep, findings })
    }

    /// What is wanted of an entity of which this much is known, with this owner if it is a chat.
    fn desired(&self, observed: &Observed, owner: Option<&str>) -> Desired {
        let mut wanted = BTreeMap::from([(entity::NAME.to_owned(), Some(json!(self.name)))]);
        if let (Some(role_group), Observed::Absent) = (&self.role_group, observed) {
            wanted.insert(entity::ROLE_GROUP.to_owned(), Some(json!(role_group)));
        }
        if let Some(owner) = owner {
            wanted.insert(entity::OWNER.to_owned(), Some(json!(owner)));
        }
        Desired::Present(wanted)
    }

    /// A role stays in the role group in which it was made, whatever the rules say by now.
    fn elsewhere(&self, observed: &Observed) -> Option<Finding> {
        let Observed::Known(entity) = observed else { return None };
        let there = entity.attributes.get(entity::ROLE_GROUP).and_then(Value::as_str)?;
        let wanted = self.role_group.as_deref().filter(|wanted| *wanted != there)?;
        Some(group_report::role_elsewhere(there, wanted))
    }
}

impl Job<'_> {
    /// Delivers a group. Returns the version that the target has now, if it has the group's state.
    pub(crate) async fn deliver_group(&self) -> Result<(Outcome, Option<i64>), Interrupt> {
        let Some(group) = self.store.load_group(self.claim).await? else { return Ok((Outcome::Gone, None)) };
        let made = self.map_group(&group);
        let outcome = if group.present && made.blocked {
            // What it has become stays as it is until the value is mended.
            Outcome::attention(made.findings)
        } else if group.present {
            let becomes = made.becomes.clone();
            let rule = made.rule.clone();
            match WantedEntity::of(made) {
                Some(wanted) => self.keep_group(&group, &wanted).await?,
                None => match self.let_go(&group, None).await? {
                    Some(outcome) => outcome,
                    None => group_report::no_entity(&becomes, rule.as_deref()),
                },
            }
        } else {
            let named = WantedEntity::of(made);
            self.let_go(&group, named.as_ref()).await?.unwrap_or(Outcome::Gone)
        };
        let applied =
            matches!(outcome, Outcome::InStep | Outcome::Kept { .. } | Outcome::LeftOut { .. } | Outcome::Gone);
        Ok((outcome, applied.then_some(group.version)))
    }

    fn map_group(&self, group: &ProjectedGroup) -> MappedGroup {
        let id = self.claim.resource.to_string();
        let source = group.source.as_ref().map(|(name, profile)| SourceFacts::new(name, profile));
        let facts = GroupFacts { id: &id, resource: &group.attributes };
        self.ready.mapping.group_as(group.choice.as_ref(), &facts, source.as_ref())
    }

    /// The role or chat of a group that is to have none. `None` when there is nothing more to do.
    async fn let_go(&self, group: &ProjectedGroup, named: Option<&WantedEntity>) -> Result<Option<Outcome>, Interrupt> {
        let link = group.link.as_ref().filter(|link| link.link.observed != Observed::Absent);
        if let Some(link) = link {
            // What stays is remembered for as long as the group may come back to it.
            if link.kept && group.present {
                held(self.store.forget_members(self.claim).await?)?;
                return Ok(None);
            }
            if let Some(outcome) = self.retire(link, named).await? {
                return Ok(Some(outcome));
            }
        }
        held(self.store.forget_members(self.claim).await?)?;
        Ok(None)
    }

    /// Removes a role or chat, or leaves it and forgets it, as its policy says. `None` when it is done.
    async fn retire(&self, link: &GroupLink, named: Option<&WantedEntity>) -> Result<Option<Outcome>, Interrupt> {
        let Some(kind) = link.entity.filter(|_| !link.kept) else {
            held(self.store.link_absent(self.claim, true).await?)?;
            return Ok(None);
        };
        let observed = match self.observe_entity(link, kind, named).await? {
            Ok(observed) => observed,
            // Nobody can tell what became of its creation.
            Err(_) if link.link.remote_id.is_none() => Observed::Absent,
            Err(outcome) => return Ok(Some(outcome)),
        };
        let Observed::Known(entity) = &observed else {
            held(self.store.link_absent(self.claim, true).await?)?;
            return Ok(None);
        };
        held(self.store.let_all_go(self.claim).await?)?;
        let delete = Action::Delete { kind, remote_id: entity.remote_id.clone() };
        // What was there before us stays; only those go whom we have put there.
        let action = (!link.adopted).then_some(&delete);
        match self.may_group(&GroupStep { action, observed: &observed }).await? {
            GroupVerdict::Go { held: None } => {}
            GroupVerdict::Go { held: Some((holds, proposal)) } => {
                return Ok(Some(report::guarded(&holds, proposal, &[])));
            }
            GroupVerdict::Held { by, proposal } => {
                return Ok(Some(group_report::group_held(by, action, proposal, &[])));
            }
        }
        let mut turn = Turn::new();
        if let Some(outcome) = self.end_access((kind, &entity.remote_id), &observed, &mut turn).await? {
            return Ok(Some(outcome));
        }
        if action.is_some() {
            self.is_not_denied(Nature::of(&delete))?;
            return Ok(match self.act(&delete, &observed).await? {
                Acted::Done(_) => None,
                Acted::Refused(error) | Acted::Lost(error) => Some(ended(&error)),
            });
        }
        match self.move_members((kind, &entity.remote_id), Movers::Leave, &mut turn).await? {
            Moved::Done => {}
            Moved::TurnIsOver => return Ok(Some(group_report::more_members())),
            Moved::Ended(outcome) => return Ok(Some(outcome)),
        }
        held(self.store.link_absent(self.claim, true).await?)?;
        Ok(None)
    }

    async fn keep_group(&self, group: &ProjectedGroup, wanted: &WantedEntity) -> Result<Outcome, Interrupt> {
        let before = group.link.as_ref().filter(|link| link.link.observed != Observed::Absent);
        if let Some(other) = before.filter(|link| link.entity.is_some_and(|kind| kind != wanted.kind)) {
            if let Some(outcome) = self.retire(other, None).await? {
                return Ok(outcome);
            }
            held(self.store.members_lost(self.claim).await?)?;
            return Ok(group_report::more_members());
        }
        if let Some(link) = before.filter(|link| link.kept != wanted.kept) {
            let how = (link.adopted, wanted.kept);
            held(self.store.link_entity(self.claim, wanted.kind, how).await?)?;
        }
        let owner = self.named_owner(wanted).await?;
        let besides = owner.as_ref().map(|owner| owner.id);
        held(self.store.weigh_members(self.claim, wanted.nested, besides).await?)?;
        let read = before.is_some_and(|link| link.link.observed == Observed::Unknown);
        let mut observed = match before {
            None => Observed::Absent,
            Some(link) => match self.observe_entity(link, wanted.kind, Some(wanted)).await? {
                Ok(observed) => observed,
                Err(outcome) => return Ok(outcome),
            },
        };
        if observed == Observed::Absent && before.is_some() {
            // Nobody is in it any more.
            held(self.store.weigh_members(self.claim, wanted.nested, besides).await?)?;
        }
        let mut adopted = false;
        if observed == Observed::Absent
            && let Some(found) = self.find_role(wanted).await?
        {
            match found {
                Ok(entity) => {
                    observed = self.adopt_entity(wanted, entity).await?;
                    adopted = true;
                }
                Err(outcome) => return Ok(outcome),
            }
        }
        if let Observed::Known(entity) = &observed
            && (adopted || read && wanted.extra == Extra::Remove)
        {
            if let Err(outcome) = self.read_members(wanted, &entity.remote_id).await? {
                return Ok(outcome);
            }
            held(self.store.weigh_members(self.claim, wanted.nested, besides).await?)?;
        }
        self.fulfil_group(group, wanted, observed).await
    }

    /// Does what is missing: the entity, its members, its name and owner, and those who are to leave.
    async fn fulfil_group(
        &self,
        group: &ProjectedGroup,
        wanted: &WantedEntity,
        mut observed: Observed,
    ) -> Result<Outcome, Interrupt> {
        let mut findings = wanted.findings.clone();
        let owner = match self.owner_for(wanted, &observed, &mut findings).await? {
            Ok(owner) => owner,
            Err(outcome) => return Ok(outcome),
        };
        let owner_awaited = owner.as_ref().and_then(|owner| owner.awaited);
        let owner = owner.map(|owner| owner.remote_id);
        findings.extend(wanted.elsewhere(&observed));
        let generation = group.link.as_ref().map_or(1, |link| link.link.generation);
        let key = format!("{}-{generation}", self.claim.resource.0.simple());
        let desired = wanted.desired(&observed, owner.as_deref());
        let connector = &self.ready.connector;
        let key = Some(key.as_str()).filter(|_| wanted.kind == EntityKind::Chat);
        let made = plan(wanted.kind, &desired, &observed, key, connector.schema());
        if let Err(found) = contradiction::judge(&made, &desired, connector.schema(), connector.root_org_unit()) {
            return Ok(report::contradiction(&found));
        }
        let Plan { mut actions, findings: unfit } = made;
        findings.extend(unfit);
        self.retry_refused_alone(wanted).await?;
        let step = GroupStep { action: actions.first(), observed: &observed };
        let guarded = match self.may_group(&step).await? {
            GroupVerdict::Go { held } => held,
            GroupVerdict::Held { by, proposal } => {
                return Ok(group_report::group_held(by, actions.first(), proposal, &findings));
            }
        };
        let mut turn = Turn::new();
        if let Observed::Known(entity) = &observed
            && guarded.is_none()
            && let Some(outcome) = self.end_access((wanted.kind, &entity.remote_id), &observed, &mut turn).await?
        {
            return Ok(outcome);
        }
        if let Some(action) = actions.first() {
            self.is_not_denied(Nature::of(action))?;
        }
        if let Some(user) = owner_awaited {
            let Some(Action::Create { attributes, .. }) = actions.first_mut() else {
                return self.waits_for_owner().await;
            };
            if self.store.arrives(self.claim, user).await? {
                return Ok(group_report::chat_waits_for_owner());
            }
            // The plan shows the eldest member. Their account may never come, and the chat is for the others too.
            let eldest = self.store.eldest_member(self.claim, false).await?;
            let Some(owner) = eldest.and_then(|eldest| eldest.remote_id) else { return self.waits_for_owner().await };
            attributes.insert(entity::OWNER.to_owned(), json!(owner));
        }
        let (creations, updates): (Vec<_>, Vec<_>) =
            actions.into_iter().partition(|action| matches!(action, Action::Create { .. }));
        if let Some(create) = creations.first() {
            held(self.store.link_entity(self.claim, wanted.kind, (false, wanted.kept)).await?)?;
            observed = match self.create_entity(wanted, create, &observed).await? {
                Ok(observed) => observed,
                Err(outcome) => return Ok(outcome),
            };
        }
        let Observed::Known(entity) = &observed else { return Err(Interrupt::LostClaim) };
        let whose = (wanted.kind, entity.remote_id.as_str());
        findings.extend(self.make_room(wanted.kind, &mut turn).await?);
        match self.move_members(whose, Movers::Come, &mut turn).await? {
            Moved::Done => {}
            Moved::TurnIsOver => return Ok(group_report::more_members()),
            Moved::Ended(outcome) => return Ok(outcome),
        }
        // After the members, because an owner must be one of them, and before those who leave, because an owner may.
        for update in &updates {
            match self.act(update, &observed).await? {
                Acted::Done(_) => {}
                Acted::Refused(error) if error.class == ErrorClass::NotFound => return self.entity_gone(&error).await,
                Acted::Refused(error) if error.class == ErrorClass::Conflict => return Ok(name_taken(wanted, &error)),
                Acted::Refused(error) | Acted::Lost(error) => return Ok(ended(&error)),
            }
        }
        if guarded.is_none() {
            match self.move_members(whose, Movers::Leave, &mut turn).await? {
                Moved::Done => {}
                Moved::TurnIsOver => return Ok(group_report::more_members()),
                Moved::Ended(outcome) => return Ok(outcome),
            }
        }
        let counts = self.store.member_counts(self.claim).await?;
        if counts.refused > 0 {
            let named = self.store.named_members(self.claim, true).await?;
            findings.push(group_report::members_refused(wanted.kind, counts.refused, &named));
        }
        let waiting = if counts.waiting > 0 {
            let named = self.store.named_members(self.claim, false).await?;
            Some(group_report::waits_for_members(counts.waiting, &named.first))
        } else {
            None
        };
        Ok(group_report::group_done(guarded, findings, waiting))
    }

    /// What is there, or with what the delivery ends because that cannot be told.
    async fn observe_entity(
        &self,
        link: &GroupLink,
        kind: EntityKind,
        wanted: Option<&WantedEntity>,
    ) -> Result<Result<Observed, Outcome>, Interrupt> {
        let link = &link.link;
        if link.observed != Observed::Unknown {
            return Ok(Ok(link.observed.clone()));
        }
        let connector = &self.ready.connector;
        let found = match (&link.remote_id, wanted) {
            (Some(remote_id), _) => connector.entity(kind, remote_id).await,
            // The answer to a creation was lost: of a role the name is the key, of a chat our own, if there is one.
            (None, Some(wanted)) if kind == EntityKind::Role => {
                connector.by_name(kind, wanted.role_group.as_deref(), &wanted.name).await
            }
            (None, _) if connector.repeatable(kind) => {
                held(self.store.link_still_absent(self.claim).await?)?;
                return Ok(Ok(Observed::Absent));
            }
            (None, _) => return Ok(Err(group_report::chat_creation_lost())),
        };
        let found = match found {
            Ok(Some(entity)) if self.is_anothers_entity(&entity).await? => None,
            Ok(found) => found,
            Err(error) => return Ok(Err(unread(error)?)),
        };
        let attributes = found.as_ref().map(|entity| &entity.attributes);
        self.tell_of_values(kind, &link.snapshot, attributes).await?;
        let Some(entity) = found else {
            held(self.store.members_lost(self.claim).await?)?;
            held(self.store.link_absent(self.claim, link.remote_id.is_some()).await?)?;
            return Ok(Ok(Observed::Absent));
        };
        held(self.store.link_known(self.claim, &entity).await?)?;
        Ok(Ok(Observed::Known(entity)))
    }

    /// Whether it is the role or chat of another of our groups.
    async fn is_anothers_entity(&self, entity: &Entity) -> Result<bool, Interrupt> {
        let holder = self.store.linked_resource(self.claim, &entity.remote_id).await?;
        Ok(holder.is_some_and(|holder| holder != self.claim.resource))
    }

    /// The role of this name in the role group, if there is one: it was there before us, or another group has become it.
    async fn find_role(&self, wanted: &WantedEntity) -> Result<Option<Result<Entity, Outcome>>, Interrupt> {
        if wanted.kind != EntityKind::Role {
            return Ok(None);
        }
        match self.ready.connector.by_name(wanted.kind, wanted.role_group.as_deref(), &wanted.name).await {
            Ok(None) => Ok(None),
            Ok(Some(entity)) if self.is_anothers_entity(&entity).await? => {
                Ok(Some(Err(name_taken(wanted, &group_report::role_of_another_group(&wanted.name)))))
            }
            Ok(Some(entity)) => Ok(Some(Ok(entity))),
            Err(error) => Ok(Some(Err(unread(error)?))),
        }
    }

    async fn adopt_entity(&self, wanted: &WantedEntity, entity: Entity) -> Result<Observed, Interrupt> {
        held(self.store.link_entity(self.claim, wanted.kind, (true, wanted.kept)).await?)?;
        held(self.store.link_known(self.claim, &entity).await?)?;
        Ok(Observed::Known(entity))
    }

    async fn create_entity(
        &self,
        wanted: &WantedEntity,
        create: &Action,
        observed: &Observed,
    ) -> Result<Result<Observed, Outcome>, Interrupt> {
        let entity = match self.act(create, observed).await? {
            Acted::Done(Some(entity)) => entity,
            Acted::Done(None) => return Err(Interrupt::LostClaim),
            Acted::Refused(error) if error.class == ErrorClass::Conflict => return Ok(Err(name_taken(wanted, &error))),
            Acted::Refused(error) | Acted::Lost(error) => return Ok(Err(ended(&error))),
        };
        // A chat is made with its owner in it.
        if let Some(owner) = entity.attributes.get(entity::OWNER).and_then(Value::as_str) {
            held(self.store.members_found(self.claim, &[owner.to_owned()], false).await?)?;
        }
        Ok(Ok(Observed::Known(entity)))
    }

    /// The target does not know it any more: it is read, and made anew if it is gone.
    pub(crate) async fn entity_gone(&self, error: &ConnectorError) -> Result<Outcome, Interrupt> {
        held(self.store.link_unknown(self.claim, None).await?)?;
        Ok(ended(error))
    }

    /// The owner whom a chat gets or keeps; the rule's if they have an account, else the present one while they belong to
    /// it, else the eldest member. A chat never loses its last owner.
    async fn owner_for(
        &self,
        wanted: &WantedEntity,
        observed: &Observed,
        findings: &mut Vec<Finding>,
    ) -> Result<Result<Option<Owner>, Outcome>, Interrupt> {
        if wanted.kind != EntityKind::Chat {
            return Ok(Ok(None));
        }
        let named = self.named_owner(wanted).await?;
        if let (Some(name), None) = (&wanted.owner, &named) {
            findings.push(group_report::chat_owner_unknown(name));
        }
        let current = match observed {
            Observed::Known(entity) => entity.attributes.get(entity::OWNER).and_then(Value::as_str),
            Observed::Absent | Observed::Unknown => None,
        };
        let holder = match current {
            Some(current) => self.store.account_holder(self.claim, current).await?,
            None => None,
        };
        let besides = named.as_ref().map(|named| named.id);
        let mut eldest = None;
        let chosen = match (named.and_then(|named| named.remote_id), current, holder) {
            (Some(named), _, _) => Some(named),
            // Somebody whom the directory does not know has been made the owner by hand, and is left alone.
            (None, Some(current), None) => Some(current.to_owned()),
            (None, Some(current), Some(user)) if self.store.is_wanted_member(self.claim, user).await? => {
                Some(current.to_owned())
            }
            (None, current, _) => {
                // What a plan says of the owner must not depend on whose account comes first.
                let any = current.is_none() && self.waits_for_plan().is_some();
                eldest = self.store.eldest_member(self.claim, any).await?;
                let with_account = eldest.as_ref().and_then(|eldest| eldest.remote_id.clone());
                with_account.or_else(|| current.map(str::to_owned))
            }
        };
        if let Some(user) = holder {
            // Whoever was in it as its owner alone may leave now; whoever stays its owner must not.
            let stays = chosen.as_deref() == current;
            self.store.touch_member(self.claim, user).await?;
            let besides = if stays { Some(user) } else { besides };
            held(self.store.weigh_members(self.claim, wanted.nested, besides).await?)?;
        }
        match (chosen, eldest) {
            (Some(remote_id), _) => Ok(Ok(Some(Owner { remote_id, awaited: None }))),
            // So that a rehearsal can show whose chat it would be.
            (None, Some(Candidate { id, .. })) => {
                Ok(Ok(Some(Owner { remote_id: id.simple().to_string(), awaited: Some(id) })))
            }
            (None, None) => Ok(Err(self.waits_for_owner().await?)),
        }
    }

    /// A chat cannot be made before somebody in it has an account.
    async fn waits_for_owner(&self) -> Result<Outcome, Interrupt> {
        let counts = self.store.member_counts(self.claim).await?;
        let named = self.store.named_members(self.claim, false).await?;
        Ok(group_report::chat_waits_for_members(counts.waiting, &named.first))
    }

    async fn named_owner(&self, wanted: &WantedEntity) -> Result<Option<Candidate>, Interrupt> {
        match &wanted.owner {
            Some(name) => Ok(self.store.chat_owner(self.claim, name).await?),
            None => Ok(None),
        }
    }
}

/// Another entity has the name.
fn name_taken(wanted: &WantedEntity, error: &ConnectorError) -> Outcome {
    let wants = unique_value(entity::NAME, &json!(wanted.name)).into_iter().collect();
    Outcome::NeedsAttention { findings: vec![crate::act::finding(error)], awaited: None, again: None, wants }
}

/// Whose row it is.
pub(crate) type Whose<'a> = (EntityKind, &'a str);
