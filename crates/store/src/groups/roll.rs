//! All members of a group that has too many to be loaded at once.

use super::row::{GroupRow, group_columns, group_joins, member_columns, member_joins};
use super::{Load, Member, StoredGroup};
use crate::members::named_id;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, SourceId, TenantId};

/// A group and the values of all its members, as they were at one moment: some sixty bytes for each, so that they can be
/// kept while what else there is to say of them is read part by part ([`Store::members`]).
#[derive(Clone, PartialEq, Debug)]
pub struct Roll {
    /// The group, without members.
    pub group: StoredGroup,
    /// The values in their order, also of those who were deleted.
    pub values: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct RollRow {
    #[sqlx(flatten)]
    group: GroupRow,
    all_values: Vec<String>,
}

impl Store {
    /// The group with that id and all its members, if there is one and it is not deleted. One round trip.
    pub async fn roll(
        &self,
        tenant: TenantId,
        id: ResourceId,
        source: Option<SourceId>,
    ) -> Result<Option<Roll>, StoreError> {
        let row: Option<RollRow> = sqlx::query_as(concat!(
            "SELECT ",
            group_columns!(),
            ", ARRAY(SELECT m.member_id FROM memberships m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id \
             ORDER BY m.member_id) AS all_values FROM groups g",
            group_joins!("0"),
            "WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted_at IS NULL"
        ))
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| Ok(Roll { group: row.group.into_group(source, Load::Nothing)?, values: row.all_values }))
            .transpose()
    }

    /// What is to be said of members, in their order, without those who were deleted. One round trip.
    pub async fn members(&self, tenant: TenantId, values: &[String]) -> Result<Vec<Member>, StoreError> {
        let rows: Vec<(String, Option<String>, Option<String>)> = sqlx::query_as(concat!(
            "SELECT named.value, ",
            member_columns!(),
            " FROM unnest($2::text[]) WITH ORDINALITY AS named (value, position)",
            member_joins!("named.value"),
            " ORDER BY named.position"
        ))
        .bind(tenant.0)
        .bind(values)
        .fetch_all(self.pool())
        .await?;
        let kind = |kind: Option<String>| kind.as_deref().and_then(ResourceKind::parse);
        Ok(rows.into_iter().map(|(value, found, display)| Member { value, kind: kind(found), display }).collect())
    }
}
