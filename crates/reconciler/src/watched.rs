//! A connector whose every call is counted, so that it is noticed when the target does not answer any more.

use rollcall_provisioning::connector::{
    Answer, Applied, Connector, ConnectorError, Cursor, Hidden, Named, Page, TargetSchema,
};
use rollcall_provisioning::entity::{Attributes, Entity, EntityKind};
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::outage::Tally;
use rollcall_provisioning::plan::Action;
use rollcall_provisioning::stop::Cause;
use std::sync::{Arc, Mutex, PoisonError};

/// How a target answers, as this process sees it.
#[derive(Debug, Default)]
pub(crate) struct Health {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    tally: Tally,
    /// How the last call without an answer failed.
    lost: Option<ConnectorError>,
}

impl Health {
    /// How the last call failed, if the target is away. Of a target that is `stopped` one call without an answer says that
    /// it still is, also to a process that has just begun.
    pub(crate) fn away(&self, stopped: bool) -> Option<ConnectorError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let away = seen.tally.is_away() || stopped && !seen.tally.answers();
        seen.lost.clone().filter(|_| away)
    }

    /// Whether the last call was answered.
    pub(crate) fn answers(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).tally.answers()
    }

    fn count<T>(&self, result: &Result<T, ConnectorError>, whose: Option<ResourceId>) {
        let error = result.as_ref().err();
        if error.is_some_and(ConnectorError::was_not_sent) {
            return;
        }
        let lost = error.filter(|error| error.is_outage());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.tally.count(lost.is_none(), whose);
        if let Some(error) = lost {
            seen.lost = Some(error.clone());
        }
    }
}

/// A connector whose calls are counted as made for one resource, if they are for a single one.
pub(crate) struct Watched {
    connector: Arc<dyn Connector>,
    health: Arc<Health>,
    whose: Option<ResourceId>,
}

impl Watched {
    pub(crate) const fn new(connector: Arc<dyn Connector>, health: Arc<Health>, whose: Option<ResourceId>) -> Self {
        Self { connector, health, whose }
    }

    fn watch<'a, T: Send + 'a>(&'a self, call: Answer<'a, T>) -> Answer<'a, T> {
        Box::pin(async move {
            let result = call.await;
            self.health.count(&result, self.whose);
            result
        })
    }
}

impl Connector for Watched {
    fn schema(&self) -> &dyn TargetSchema {
        self.connector.schema()
    }

    fn account<'a>(&'a self, remote_id: &'a str) -> Answer<'a, Option<Entity>> {
        self.watch(self.connector.account(remote_id))
    }

    fn account_by_mobile<'a>(&'a self, mobile: &'a str) -> Answer<'a, Option<String>> {
        self.watch(self.connector.account_by_mobile(mobile))
    }

    fn org_unit<'a>(&'a self, remote_id: &'a str) -> Answer<'a, Option<Entity>> {
        self.watch(self.connector.org_unit(remote_id))
    }

    fn org_unit_by_name<'a>(&'a self, parent: &'a str, name: &'a str) -> Answer<'a, Option<Entity>> {
        self.watch(self.connector.org_unit_by_name(parent, name))
    }

    fn entity<'a>(&'a self, kind: EntityKind, remote_id: &'a str) -> Answer<'a, Option<Entity>> {
        self.watch(self.connector.entity(kind, remote_id))
    }

    fn by_name<'a>(&'a self, kind: EntityKind, within: Option<&'a str>, name: &'a str) -> Answer<'a, Option<Entity>> {
        self.watch(self.connector.by_name(kind, within, name))
    }

    fn contact_by_mobile<'a>(&'a self, mobile: &'a str) -> Answer<'a, Option<Entity>> {
        self.watch(self.connector.contact_by_mobile(mobile))
    }

    fn members<'a>(
        &'a self,
        kind: EntityKind,
        remote_id: &'a str,
        from: Option<&'a Cursor>,
    ) -> Answer<'a, Page<String>> {
        self.watch(self.connector.members(kind, remote_id, from))
    }

    fn children<'a>(&'a self, org_unit: &'a str) -> Answer<'a, Vec<Named>> {
        self.watch(self.connector.children(org_unit))
    }

    fn accounts_in<'a>(&'a self, org_unit: &'a str, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        self.watch(self.connector.accounts_in(org_unit, from))
    }

    fn roles<'a>(&'a self, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        self.watch(self.connector.roles(from))
    }

    fn contacts<'a>(&'a self, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        self.watch(self.connector.contacts(from))
    }

    fn administrators(&self) -> Answer<'_, Vec<String>> {
        self.watch(self.connector.administrators())
    }

    fn account_count(&self) -> Answer<'_, u64> {
        self.watch(self.connector.account_count())
    }

    fn unreadable(&self, kind: EntityKind) -> Answer<'_, Hidden> {
        // It need not call anybody, so an answer says nothing.
        self.connector.unreadable(kind)
    }

    fn unlisted(&self) -> Hidden {
        self.connector.unlisted()
    }

    fn most_members(&self, kind: EntityKind, adding: bool) -> usize {
        self.connector.most_members(kind, adding)
    }

    fn capacity(&self, kind: EntityKind) -> Option<usize> {
        self.connector.capacity(kind)
    }

    fn repeatable(&self, kind: EntityKind) -> bool {
        self.connector.repeatable(kind)
    }

    fn apply<'a>(&'a self, action: &'a Action) -> Answer<'a, Applied> {
        self.watch(self.connector.apply(action))
    }

    fn root_org_unit(&self) -> &str {
        self.connector.root_org_unit()
    }

    fn cause(&self, error: &ConnectorError) -> Cause {
        self.connector.cause(error)
    }

    fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        self.connector.after(before, action)
    }
}
