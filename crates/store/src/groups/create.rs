//! A new group with its members: one statement.

use super::{GroupView, StoredGroup};
use crate::detail;
use crate::external_ids::ExternalIds;
use crate::mark::mark_groups;
use crate::write::{Actor, Wish, bind_write, change_entry};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::fold::fold;
use rollcall_scim::resource::Resource;
use sqlx::types::Json;

const CREATE: &str = concat!(
    "WITH written AS (INSERT INTO groups (tenant_id, id, source_id, display_name_key, external_id, attributes, ",
    "version, created_at, modified_at) VALUES ($1, $2, $4, $7, $8, $9, 1, $3, $3) RETURNING id, version), ",
    "added AS (INSERT INTO memberships (tenant_id, group_id, member_id) ",
    "SELECT $1, written.id, named.id FROM written CROSS JOIN unnest($10::text[]) AS named (id) ",
    "ON CONFLICT DO NOTHING RETURNING member_id), ",
    change_entry!("group", "create", "$6 || jsonb_build_object('added', (SELECT count(*) FROM added))"),
    ", changed AS (SELECT id FROM written), news AS (SELECT written.id AS group_id, added.member_id ",
    "FROM written CROSS JOIN added), renamed AS (SELECT NULL::uuid AS id WHERE false), ",
    mark_groups!(),
    " SELECT (SELECT count(*) FROM added), EXISTS (SELECT 1 FROM marked)"
);

impl Store {
    /// Creates a group. `members` are ids as the client sent them; those that belong to nobody are kept, and one that
    /// is named twice counts once. [`StoreError::Conflict`] when a live group has the same `displayName`, whatever
    /// its case.
    pub async fn create_group(
        &self,
        actor: &Actor,
        wish: impl Into<Wish<Resource>>,
        members: &[String],
    ) -> Result<StoredGroup, StoreError> {
        let Wish { becomes: resource, withheld } = wish.into();
        let resource = &resource;
        let mut details = detail::created(resource);
        detail::withhold(&mut details, withheld);
        let (id, now, keys) = (ResourceId(self.new_id()), self.now(), GroupKeys::of(resource)?);
        let (added, marked): (i64, bool) = bind_write!(sqlx::query_as(CREATE), actor, id, now)
            .bind(details)
            .bind(keys.display_name)
            .bind(keys.external_id)
            .bind(Json(resource.as_map()))
            .bind(members)
            .fetch_one(self.pool())
            .await?;
        if marked {
            self.signal.dirty();
        }
        // What the members are called is not known yet.
        let named = if added > 0 {
            self.group(actor.tenant, id, GroupView { members: true, source: None }).await?
        } else {
            None
        };
        let more_members = named.as_ref().is_some_and(|group| group.more_members);
        Ok(StoredGroup {
            id,
            resource: resource.clone(),
            external_ids: ExternalIds::new(actor.source, resource),
            version: 1,
            created_at: now,
            modified_at: now,
            members: Some(named.and_then(|group| group.members).unwrap_or_default()),
            more_members,
        })
    }
}

/// The columns of `groups` that clients look groups up by, in the form in which they are compared.
pub(super) struct GroupKeys {
    pub(super) display_name: String,
    pub(super) external_id: Option<String>,
}

impl GroupKeys {
    pub(super) fn of(resource: &Resource) -> Result<Self, StoreError> {
        let display_name = resource
            .string("displayName")
            .ok_or(StoreError::InvalidInput { what: "group without a displayName", source: None })?;
        Ok(Self {
            display_name: fold(display_name),
            external_id: resource.string("externalId").map(|id| crate::filter_sql::clip(id).to_owned()),
        })
    }
}
