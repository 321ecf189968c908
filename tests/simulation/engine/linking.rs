//! Links that people make and break by hand: which account is whose.

use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_store::adoption::{LinkError, NewLink, Parting};
use serde_json::Value;

use super::contacts::KEEPER;
use super::hand::{self, list, text};
use super::run::Run;

/// What a person says of links; people are counted through, and accounts as they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Linking {
    /// The account is not this person's.
    Break(usize),
    /// The account is this person's.
    Link { person: usize, account: usize },
    /// The account that has this person's number is theirs.
    LinkByNumber(usize),
}

impl Run<'_> {
    /// Does it. What stands in the way is told, and nothing is changed then.
    pub(crate) async fn linking(&mut self, linking: Linking) -> anyhow::Result<()> {
        match linking {
            Linking::Break(person) => self.break_link(person).await,
            Linking::Link { person, account } => {
                let accounts = self.accounts(|_| true).await?;
                let Some(at) = account.checked_rem(accounts.len()) else { return Ok(()) };
                self.link(person, accounts.get(at)).await
            }
            Linking::LinkByNumber(person) => {
                let number = self.directory.living(person).and_then(|person| person.mobile.clone());
                let accounts = self.accounts(|entry| Some(text(entry, "mobile")) == number.as_deref()).await?;
                self.link(person, accounts.first()).await
            }
        }
    }

    async fn accounts(&self, which: impl Fn(&Value) -> bool) -> anyhow::Result<Vec<String>> {
        let state = hand::state(&self.simulator).await?;
        let others = list(&state, "users").iter().filter(|entry| text(entry, "userid") != KEEPER && which(entry));
        Ok(others.map(|entry| text(entry, "userid").to_owned()).collect())
    }

    async fn break_link(&mut self, person: usize) -> anyhow::Result<()> {
        let Some(resource) = self.directory.living(person).map(|person| person.id) else { return Ok(()) };
        let parting = Parting { kind: ResourceKind::User, resource, reason: "it is not theirs", by: "ann" };
        match self.stage.store.break_link(self.directory.tenant, self.target, &parting).await {
            Ok(userid) => {
                self.note(&format!("{userid} is not {resource} any more"));
                self.watch.parted.insert((resource, userid));
                Ok(())
            }
            Err(refused) => self.not_linked(refused),
        }
    }

    async fn link(&mut self, person: usize, account: Option<&String>) -> anyhow::Result<()> {
        let (Some(person), Some(userid)) = (self.directory.living(person), account) else { return Ok(()) };
        // The API asks the rules before.
        if !self.rules.includes(person) || self.rules.is_contact(person) {
            return Ok(());
        }
        let person: ResourceId = person.id;
        let new = NewLink { person, remote_id: userid, seen: true, reason: "it is theirs", by: "ann" };
        match self.stage.store.create_link(self.directory.tenant, self.target, &new).await {
            Ok(()) => {
                self.note(&format!("{userid} is {person}"));
                self.watch.foreign_people.remove(userid);
                self.watch.parted.retain(|(_, parted)| parted != userid);
                Ok(())
            }
            Err(refused) => self.not_linked(refused),
        }
    }

    fn not_linked(&mut self, refused: LinkError) -> anyhow::Result<()> {
        if let LinkError::Store(error) = refused {
            return Err(error.into());
        }
        self.note(&format!("refused: {refused}"));
        Ok(())
    }
}
