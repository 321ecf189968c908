//! Changing a group and its members: one statement reads, one writes.

use super::create::GroupKeys;
use super::read::read;
use super::{GroupView, Load, StoredGroup};
use crate::changes::record_withheld;
use crate::detail;
use crate::external_ids::{ExternalIds, without_external_id};
use crate::mark::mark_groups;
use crate::members::{MEMBERS, NetChange, needs_members, sweeps};
use crate::write::{Actor, Lock, UpdateError, Updated, Wish, Write, bind_write, change_entry};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TenantId};
use rollcall_scim::patch::DetachedChange;
use rollcall_scim::resource::Resource;
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

/// The most members that one change may look at, counting each as often as it is looked at: a second or so.
const LOOKED_AT: i64 = 2_000_000;

/// The most members of a group whose members are all read, to find those that a filter means which names no `value`.
const SWEPT: usize = 100_000;

/// How a group is changed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct GroupUpdate {
    /// What is loaded for the answer, after the change.
    pub view: GroupView,
    /// True if the change depends on the version it was shown (`If-Match`). If not, members can be added without
    /// minding who else is at the group.
    pub pinned: bool,
    /// True if another source decides the members: what would change them is withheld.
    pub members_withheld: bool,
}

/// A part of the membership of one member, null if they are none. A subquery of its own for each member is looked up by
/// the primary key. A join is not: the planner knows how many members a group has on average, and would rather read
/// them all than ask for one after the other, which is wrong for the one group that everybody is in.
macro_rules! membership {
    ($part:literal, $member:literal) => {
        concat!(
            "(SELECT ",
            $part,
            " FROM memberships m WHERE m.tenant_id = $1 AND m.group_id = $2 AND m.member_id = ",
            $member,
            ")"
        )
    };
}

/// Those of a list who are no members yet.
macro_rules! fresh_some {
    ($named:literal) => {
        concat!(
            "SELECT named.member_id FROM unnest(",
            $named,
            "::text[]) AS named (member_id) WHERE ",
            membership!("true", "named.member_id"),
            " IS NULL"
        )
    };
}

/// Those of a list who are members.
macro_rules! gone_some {
    ($named:literal) => {
        concat!(
            "SELECT named.member_id FROM unnest(",
            $named,
            "::text[]) AS named (member_id) WHERE ",
            membership!("true", "named.member_id")
        )
    };
}

/// Those of a list of all members who are no members yet.
macro_rules! fresh_all {
    ($named:literal) => {
        concat!(
            "SELECT named.member_id FROM unnest(",
            $named,
            "::text[]) AS named (member_id) EXCEPT ",
            "SELECT m.member_id FROM memberships m WHERE m.tenant_id = $1 AND m.group_id = $2"
        )
    };
}

/// Members who are not in a list of all members.
macro_rules! gone_all {
    ($named:literal) => {
        concat!(
            "SELECT m.member_id FROM memberships m WHERE m.tenant_id = $1 AND m.group_id = $2 EXCEPT ",
            "SELECT named.member_id FROM unnest(",
            $named,
            "::text[]) AS named (member_id)"
        )
    };
}

/// Writes the group and its members, if it still has the version that was read (`$7`; null: whatever it has), and if
/// there is anything to write: `$8` says so of the attributes, `fresh` and `gone` of the members.
///
/// A group that still has its version still has its members, so what `fresh` and `gone` saw is what is there. Without
/// a version only members are added: all that were named, because somebody else may have removed one of them meanwhile.
macro_rules! group_write {
    (fresh = $fresh:expr, coming = $coming:expr, gone = $gone:expr) => {
        concat!(
            "WITH fresh AS MATERIALIZED (",
            $fresh,
            "), gone AS MATERIALIZED (",
            $gone,
            "), wanted AS MATERIALIZED (SELECT $8 OR EXISTS (SELECT 1 FROM fresh) OR EXISTS (SELECT 1 FROM gone) ",
            "AS anything), ",
            "written AS (UPDATE groups g SET version = g.version + 1, modified_at = $3, ",
            "display_name_key = CASE WHEN $8 THEN $9 ELSE g.display_name_key END, ",
            "external_id = CASE WHEN $8 THEN $10 ELSE g.external_id END, ",
            "attributes = CASE WHEN $8 THEN $11 ELSE g.attributes END, ",
            "external_ids = CASE WHEN $8 THEN $14 ELSE g.external_ids END ",
            "WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted_at IS NULL ",
            "AND ($7::bigint IS NULL OR g.version = $7) AND (SELECT anything FROM wanted) ",
            "RETURNING g.id, g.version, g.attributes, g.source_id, g.external_ids), ",
            "added AS (INSERT INTO memberships (tenant_id, group_id, member_id) ",
            "SELECT $1, written.id, coming.member_id FROM written CROSS JOIN ",
            $coming,
            " AS coming (member_id) ORDER BY coming.member_id ",
            "ON CONFLICT DO NOTHING RETURNING member_id), ",
            // No index may be used for tenant and group: it would read all members.
            "removed AS (DELETE FROM memberships m WHERE m.tenant_id IS NOT DISTINCT FROM $1 ",
            "AND m.group_id IS NOT DISTINCT FROM $2 AND m.ctid = ANY(ARRAY(SELECT ",
            membership!("m.ctid", "gone.member_id"),
            " FROM written CROSS JOIN gone)) RETURNING m.member_id), ",
            change_entry!(
                "group",
                "update",
                "$6 || jsonb_build_object('added', (SELECT count(*) FROM added), \
                 'added_first', (SELECT COALESCE(jsonb_agg(a.member_id), '[]') \
                 FROM (SELECT member_id FROM added LIMIT 100) a), \
                 'removed', (SELECT count(*) FROM removed), \
                 'removed_first', (SELECT COALESCE(jsonb_agg(r.member_id), '[]') \
                 FROM (SELECT member_id FROM removed LIMIT 100) r))"
            ),
            ", changed AS (SELECT id FROM written), news AS (SELECT written.id AS group_id, moved.member_id ",
            "FROM written CROSS JOIN (SELECT member_id FROM added UNION ALL SELECT member_id FROM removed) moved), ",
            "renamed AS (SELECT id FROM written WHERE $8), ",
            mark_groups!(),
            " SELECT (SELECT anything FROM wanted), (SELECT version FROM written), (SELECT attributes FROM written), \
             (SELECT external_ids FROM written), EXISTS (SELECT 1 FROM marked)"
        )
    };
}

/// Some members come (`$12`), some go (`$13`), the others stay.
const UPDATE_SOME: &str =
    group_write!(fresh = fresh_some!("$12"), coming = "unnest($12::text[])", gone = gone_some!("$13"));

/// The members are exactly those named (`$12`). Sets are subtracted, which costs the same whatever the planner thinks
/// of their sizes.
const UPDATE_ALL: &str =
    group_write!(fresh = fresh_all!("$12"), coming = "(SELECT member_id FROM fresh)", gone = gone_all!("$12"));

/// Whether [`UPDATE_SOME`] would change the members.
const CHANGES_SOME: &str = concat!("SELECT EXISTS (", fresh_some!("$3"), ") OR EXISTS (", gone_some!("$4"), ")");

/// Whether [`UPDATE_ALL`] would.
const CHANGES_ALL: &str = concat!("SELECT EXISTS (", fresh_all!("$3"), ") OR EXISTS (", gone_all!("$3"), ")");

impl Store {
    /// Changes a group. `change` says what its attributes become and what happens to its members, from what it is
    /// (shown without members); it may be asked several times, when somebody else was faster, and must not remember
    /// anything. If nothing comes of it — also when whoever is to be added is a member, or whoever is to be removed is
    /// not — nothing is written.
    pub async fn update_group<E: Send, W: Into<Wish<(Resource, Vec<DetachedChange>)>>>(
        &self,
        actor: &Actor,
        id: ResourceId,
        how: GroupUpdate,
        change: impl FnMut(&StoredGroup) -> Result<W, E> + Send,
    ) -> Result<Updated<StoredGroup>, UpdateError<E>> {
        let mut updated = self.change_group(Update { store: self, actor, id, how, change, lets_go: false }).await?;
        if how.view.members {
            let group = self.group(actor.tenant, id, how.view).await?;
            updated.value.more_members = group.as_ref().is_some_and(|group| group.more_members);
            updated.value.members = Some(group.and_then(|group| group.members).unwrap_or_default());
        }
        Ok(updated)
    }

    /// The source has nothing to do with the group any more, which stays, because another one decides about that, by the
    /// attribute that is recorded as `withheld`: the source's `externalId` goes. `check` judges the version, as for a
    /// deletion.
    pub async fn let_go_of_group<E: Send>(
        &self,
        actor: &Actor,
        id: ResourceId,
        withheld: &str,
        mut check: impl FnMut(i64) -> Result<(), E> + Send,
    ) -> Result<(), UpdateError<E>> {
        let change = |group: &StoredGroup| {
            check(group.version)?;
            Ok(Wish { becomes: (group.resource.clone(), Vec::new()), withheld: vec![withheld.to_owned()] })
        };
        let how = GroupUpdate { pinned: true, ..GroupUpdate::default() };
        self.change_group(Update { store: self, actor, id, how, change, lets_go: true }).await.map(drop)
    }

    async fn change_group<E: Send, W: Into<Wish<(Resource, Vec<DetachedChange>)>>>(
        &self,
        update: Update<'_, impl FnMut(&StoredGroup) -> Result<W, E> + Send>,
    ) -> Result<Updated<StoredGroup>, UpdateError<E>> {
        let (updated, marked) = self.write(update).await?;
        if marked {
            self.signal.dirty();
        }
        Ok(updated)
    }
}

struct Update<'a, C> {
    store: &'a Store,
    actor: &'a Actor,
    id: ResourceId,
    how: GroupUpdate,
    change: C,
    /// Whether the source lets go of the group.
    lets_go: bool,
}

impl<E, W, C> Write for Update<'_, C>
where
    E: Send,
    W: Into<Wish<(Resource, Vec<DetachedChange>)>>,
    C: FnMut(&StoredGroup) -> Result<W, E> + Send,
{
    /// What came of it, and whether a delivery was marked.
    type Done = (Updated<StoredGroup>, bool);
    type Refusal = E;

    async fn once(&mut self, connection: &mut PgConnection, lock: Lock) -> Result<Option<Self::Done>, UpdateError<E>> {
        let (tenant, source) = (self.actor.tenant, Some(self.actor.source));
        let group = read(&mut *connection, tenant, self.id, source, (Load::Nothing, lock)).await?;
        let group = group.ok_or(UpdateError::NotFound)?;
        let wish = (self.change)(&group).map_err(UpdateError::Refused)?;
        let Wish { becomes: (mut resource, changes), mut withheld } = wish.into();
        if self.lets_go {
            resource = without_external_id(resource);
        }
        let (external_ids, kept) = group.external_ids.written(self.actor.source, &resource);
        let external_ids = if self.lets_go { external_ids.let_go(self.actor.source) } else { external_ids };
        let differs = resource != group.resource || external_ids != group.external_ids;
        let mut net = net_change(connection, tenant, self.id, &changes).await?;
        if self.how.members_withheld {
            let denied = std::mem::take(&mut net);
            if !denied.is_nothing() && changes_members(connection, tenant, self.id, denied).await? {
                withheld.push(MEMBERS.to_owned());
            }
        }
        let before_version = group.version;
        if !differs && net.is_nothing() {
            if !withheld.is_empty() {
                let about = (ResourceKind::Group, group.id, group.version);
                record_withheld(connection, self.actor, about, &withheld, self.store.now()).await?;
            }
            return Ok(Some((Updated { before_version, changed: false, value: group }, false)));
        }
        let pinned = self.how.pinned;
        let change = Change { before: group, after: resource, external_ids, kept, differs, net, pinned, withheld };
        Ok(change.write(self.actor, self.store.now(), connection).await?)
    }
}

/// What the changes of the members come to, all in all.
async fn net_change(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: ResourceId,
    changes: &[DetachedChange],
) -> Result<NetChange, StoreError> {
    if !needs_members(changes) {
        return Ok(NetChange::of(changes, &[]));
    }
    let full = read(connection, tenant, id, None, (Load::First(SWEPT), Lock::None)).await?;
    let (present, more) = full.map(|group| (group.members.unwrap_or_default(), group.more_members)).unwrap_or_default();
    if more {
        return Err(StoreError::TooMany { limit: i64::try_from(SWEPT).unwrap_or(i64::MAX) });
    }
    check_effort(changes, present.len())?;
    Ok(NetChange::of(changes, &present))
}

/// Whether the members would be others than they are.
async fn changes_members(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: ResourceId,
    net: NetChange,
) -> Result<bool, StoreError> {
    let statement = if net.cleared { CHANGES_ALL } else { CHANGES_SOME };
    let asked = sqlx::query_scalar(statement).bind(tenant.0).bind(id.0).bind(net.add.into_iter().collect::<Vec<_>>());
    let asked = if net.cleared { asked } else { asked.bind(net.remove.into_iter().collect::<Vec<_>>()) };
    Ok(asked.fetch_one(connection).await?)
}

/// Refuses changes that would look at too many members, all in all.
fn check_effort(changes: &[DetachedChange], members: usize) -> Result<(), StoreError> {
    let looked_at = i64::try_from(sweeps(changes).saturating_mul(members)).unwrap_or(i64::MAX);
    if looked_at > LOOKED_AT { Err(StoreError::TooMany { limit: LOOKED_AT }) } else { Ok(()) }
}

/// A change that is decided and not written yet.
struct Change {
    before: StoredGroup,
    /// What the source sees.
    after: Resource,
    external_ids: ExternalIds,
    /// What is written, where that is not what the source sees.
    kept: Option<Resource>,
    /// Whether anything changes but the members.
    differs: bool,
    net: NetChange,
    pinned: bool,
    withheld: Vec<String>,
}

impl Change {
    /// `None` when somebody else changed the group first.
    async fn write(
        self,
        actor: &Actor,
        now: OffsetDateTime,
        connection: &mut PgConnection,
    ) -> Result<Option<(Updated<StoredGroup>, bool)>, StoreError> {
        let before = self.before;
        let kept = self.kept.as_ref().unwrap_or(&self.after);
        let keys = GroupKeys::of(kept)?;
        let mut details = detail::updated(&before.resource, &self.after);
        detail::withhold(&mut details, self.withheld);
        let only_adds = !self.net.cleared && self.net.remove.is_empty();
        let version = (self.pinned || self.differs || !only_adds).then_some(before.version);
        let statement = if self.net.cleared { UPDATE_ALL } else { UPDATE_SOME };
        let (anything, version, attributes, others, marked): (bool, Option<i64>, Option<Value>, Option<Value>, bool) =
            bind_write!(sqlx::query_as(statement), actor, before.id, now)
                .bind(details)
                .bind(version)
                .bind(self.differs)
                .bind(keys.display_name)
                .bind(keys.external_id)
                .bind(Json(kept.as_map()))
                .bind(self.net.add.into_iter().collect::<Vec<_>>())
                .bind(self.net.remove.into_iter().collect::<Vec<_>>())
                .bind(self.external_ids.others())
                .fetch_one(connection)
                .await?;
        let before_version = before.version;
        match (version, attributes) {
            (Some(version), Some(Value::Object(attributes))) => {
                let creator = before.external_ids.creator().0;
                let external_ids = ExternalIds::of_row(creator, &attributes, others)
                    .ok_or_else(|| StoreError::corrupt("groups", "external_ids", before.id.0))?;
                let resource = Resource::from_map(external_ids.shown(Some(actor.source), attributes));
                let value = StoredGroup { resource, external_ids, version, modified_at: now, ..before };
                Ok(Some((Updated { before_version, changed: true, value }, marked)))
            }
            (Some(_), _) => Err(StoreError::corrupt("groups", "attributes", before.id.0)),
            (None, _) if !anything => Ok(Some((Updated { before_version, changed: false, value: before }, false))),
            (None, _) => Ok(None),
        }
    }
}
