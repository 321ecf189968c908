//! Deleting a group (RFC 7644 §3.6): its `displayName` is free at once, its members are forgotten, and it leaves the
//! groups that it is a member of.

use crate::Store;
use crate::deletion::{Deletion, Statements};
use crate::mark::mark_groups;
use crate::write::{Actor, UpdateError, change_entry};
use rollcall_provisioning::ids::ResourceId;

/// Deletes the group if it still has the version that was read (`$6`).
const DELETE: &str = concat!(
    "WITH written AS (UPDATE groups SET deleted_at = $3, modified_at = $3, version = version + 1 ",
    "WHERE tenant_id = $1 AND id = $2 AND version = $6 AND deleted_at IS NULL RETURNING id, version), ",
    "removed AS (DELETE FROM memberships m USING written ",
    "WHERE m.tenant_id = $1 AND m.group_id = written.id RETURNING 1), ",
    "left_groups AS (DELETE FROM memberships m USING written ",
    "WHERE m.tenant_id = $1 AND m.member_id = written.id::text AND m.group_id <> written.id RETURNING m.group_id), ",
    change_entry!(
        "group",
        "delete",
        "jsonb_build_object('removed', (SELECT count(*) FROM removed), 'groups', (SELECT count(*) FROM left_groups))"
    ),
    ", changed AS (SELECT id FROM written UNION SELECT group_id FROM left_groups), ",
    "news AS (SELECT left_groups.group_id, written.id::text AS member_id FROM written CROSS JOIN left_groups), ",
    "renamed AS (SELECT id FROM written), ",
    mark_groups!(),
    " SELECT count(*) FROM written"
);

const STATEMENTS: Statements = Statements {
    version: "SELECT version FROM groups WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL",
    version_locked: "SELECT version FROM groups WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE",
    delete: DELETE,
};

impl Store {
    /// Deletes a group, if `check` agrees to the version it has.
    pub async fn delete_group<E: Send>(
        &self,
        actor: &Actor,
        id: ResourceId,
        check: impl Fn(i64) -> Result<(), E> + Send,
    ) -> Result<(), UpdateError<E>> {
        self.write(Deletion { store: self, actor, id, check, statements: STATEMENTS }).await?;
        self.signal.dirty();
        Ok(())
    }
}
