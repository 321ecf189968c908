//! The members of a role or chat: read where they must be, added and removed in batches, one whom the target refuses apart
//! from the others.

use crate::act::{Interrupt, Job, ended, held, unread};
use crate::gate::before;
use crate::group::{WantedEntity, Whose};
use crate::group_report;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, EntityKind, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_provisioning::mapping::Extra;
use rollcall_provisioning::plan::Action;
use rollcall_provisioning::window::Nature;
use rollcall_store::projection::{MemberRow, Movers};
use serde_json::Value;
use tokio::time::Instant;

/// The most calls of one turn: then others are served, and it goes on.
const CALLS: usize = 100;

/// What is left of a turn.
pub(crate) struct Turn {
    calls: usize,
    /// How many more members there can be.
    room: usize,
}

impl Turn {
    pub(crate) const fn new() -> Self {
        Self { calls: CALLS, room: usize::MAX }
    }
}

/// How moving members ended.
pub(crate) enum Moved {
    /// All are moved whom the target takes.
    Done,
    /// There are more.
    TurnIsOver,
    /// The delivery ends so.
    Ended(Outcome),
}

impl Job<'_> {
    /// Reads who is in a role or chat, so that whom we need not add is known, and, if extra members go, who these are.
    pub(crate) async fn read_members(
        &self,
        wanted: &WantedEntity,
        remote_id: &str,
    ) -> Result<Result<(), Outcome>, Interrupt> {
        let mut from = None;
        loop {
            let page = match self.ready.connector.members(wanted.kind, remote_id, from.as_ref()).await {
                Ok(page) => page,
                Err(error) => return Ok(Err(unread(error)?)),
            };
            let extra = wanted.extra == Extra::Remove;
            held(self.store.members_found(self.claim, &page.items, extra).await?)?;
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(Ok(())),
            }
        }
    }

    /// Those whom the target refused are tried again when there is nothing else to do: somebody has asked for it, or their
    /// account has changed.
    pub(crate) async fn retry_refused_alone(&self, wanted: &WantedEntity) -> Result<(), Interrupt> {
        let counts = self.store.member_counts(self.claim).await?;
        if counts.refused > 0 && counts.to_add == 0 && counts.to_remove == 0 {
            self.store.retry_refused(self.claim).await?;
            let owner = match &wanted.owner {
                Some(name) => self.store.chat_owner(self.claim, name).await?.map(|owner| owner.id),
                None => None,
            };
            held(self.store.weigh_members(self.claim, wanted.nested, owner).await?)?;
        }
        Ok(())
    }

    /// How many more members there can be, and what to say if that is not enough.
    pub(crate) async fn make_room(&self, kind: EntityKind, turn: &mut Turn) -> Result<Option<Finding>, Interrupt> {
        let Some(most) = self.ready.connector.capacity(kind) else { return Ok(None) };
        let applied = usize::try_from(self.store.applied_members(self.claim).await?).unwrap_or(usize::MAX);
        let to_add = usize::try_from(self.store.member_counts(self.claim).await?.to_add).unwrap_or(usize::MAX);
        turn.room = most.saturating_sub(applied);
        Ok((to_add > turn.room).then(|| group_report::no_room(kind, applied.saturating_add(to_add), most)))
    }

    /// Adds or removes all these members. Whoever is to lose their access waits neither for the end of a deny window nor for
    /// calls.
    pub(crate) async fn move_members(
        &self,
        (kind, remote_id): Whose<'_>,
        movers: Movers<'_>,
        turn: &mut Turn,
    ) -> Result<Moved, Interrupt> {
        let adding = movers == Movers::Come;
        loop {
            let most = self.ready.connector.most_members(kind, adding).max(1);
            let most = if adding { most.min(turn.room) } else { most };
            if most == 0 {
                return Ok(Moved::Done);
            }
            let rows = self.store.member_batch(self.claim, movers, most).await?.ok_or(Interrupt::LostClaim)?;
            if rows.is_empty() {
                return Ok(Moved::Done);
            }
            if turn.calls == 0 {
                return Ok(Moved::TurnIsOver);
            }
            if let Some(outcome) = self.send_batch((kind, remote_id), movers, rows, turn).await? {
                return Ok(Moved::Ended(outcome));
            }
        }
    }

    /// Takes out those who are to lose their access, before anything else of the group: whatever that waits for. The owner of
    /// a chat goes when it has another one. Returns with what the delivery ends, if it does.
    pub(crate) async fn end_access(
        &self,
        whose: Whose<'_>,
        observed: &Observed,
        turn: &mut Turn,
    ) -> Result<Option<Outcome>, Interrupt> {
        let owner = before(observed).get(entity::OWNER).and_then(Value::as_str);
        Ok(match self.move_members(whose, Movers::LoseAccess(owner), turn).await? {
            Moved::Done => None,
            Moved::TurnIsOver => Some(group_report::more_members()),
            Moved::Ended(outcome) => Some(outcome),
        })
    }

    /// One call for all of them; if the target refuses that because of one, halves, until it is known because of whom.
    async fn send_batch(
        &self,
        (kind, remote_id): Whose<'_>,
        movers: Movers<'_>,
        rows: Vec<MemberRow>,
        turn: &mut Turn,
    ) -> Result<Option<Outcome>, Interrupt> {
        let adding = movers == Movers::Come;
        let mut stack = vec![rows];
        while let Some(rows) = stack.pop() {
            let (remote_id, members) = (remote_id.to_owned(), rows.iter().map(|row| row.remote_id.clone()).collect());
            let action = if adding {
                Action::AddMembers { kind, remote_id, members }
            } else {
                Action::RemoveMembers { kind, remote_id, members }
            };
            let nature = match movers {
                Movers::LoseAccess(_) => Nature::EndsAccess,
                Movers::Come | Movers::Leave => Nature::of(&action),
            };
            self.is_not_denied(nature)?;
            self.is_allowed_for(nature).await?;
            self.is_not_stopped(&action).await?;
            let started = Instant::now();
            let result = self.ready.connector.apply(&action).await;
            self.keep(&action, &Observed::Unknown, &result, started.elapsed()).await?;
            turn.calls = turn.calls.saturating_sub(1);
            let error = match result {
                Ok(applied) => {
                    self.works_again(&action).await?;
                    let refusal = |row: &MemberRow| {
                        applied.refused.iter().find(|(member, _)| *member == row.remote_id).map(|(_, error)| error)
                    };
                    let (refused, taken): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| refusal(row).is_some());
                    if adding {
                        turn.room = turn.room.saturating_sub(taken.len());
                    }
                    held(self.store.members_moved(self.claim, adding, &taken).await?)?;
                    for row in &refused {
                        if let Some(error) = refusal(row) {
                            self.refuse_member(row, error).await?;
                        }
                    }
                    continue;
                }
                Err(error) => error,
            };
            if error.class == ErrorClass::Stopped {
                return Err(Interrupt::Stopped(error));
            }
            if error.class == ErrorClass::KindStopped {
                return Err(Interrupt::KindStopped { kind: Some(kind), error });
            }
            if error.class == ErrorClass::NotFound {
                return Ok(Some(self.entity_gone(&error).await?));
            }
            if !is_about_a_member(&error) {
                return Ok(Some(ended(&error)));
            }
            match rows.as_slice() {
                [only] => self.refuse_member(only, &error).await?,
                rows => {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    stack.push(second.to_vec());
                    stack.push(first.to_vec());
                }
            }
        }
        Ok(None)
    }

    /// The others go on. If the target does not know the account, it is read again.
    async fn refuse_member(&self, row: &MemberRow, error: &ConnectorError) -> Result<(), Interrupt> {
        let first = self.store.member_refused(self.claim, row, &error.message).await?.ok_or(Interrupt::LostClaim)?;
        if first && error.class == ErrorClass::MissingReference {
            self.store.link_doubted(self.claim, ResourceKind::User, ResourceId(row.user_id)).await?;
        }
        Ok(())
    }
}

/// Whether a call for fewer members could succeed.
fn is_about_a_member(error: &ConnectorError) -> bool {
    match error.class {
        ErrorClass::MissingReference => true,
        ErrorClass::Conflict | ErrorClass::Invalid | ErrorClass::Forbidden | ErrorClass::Ambiguous => {
            error.attribute.is_none() && !error.outcome_unknown
        }
        _ => false,
    }
}
