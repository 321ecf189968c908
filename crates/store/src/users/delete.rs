//! Deleting a user (RFC 7644 §3.6): the row stays as a tombstone until nothing at a target remembers it, but nobody
//! sees it any more and its `userName` is free. Whoever names the user as manager is left without one: a reference to
//! nobody would come back with every read, and a client that writes what it has read would keep it for ever. Who names the
//! manager by something else than the id keeps that: it is the client's own word, and somebody may come who has it.

use crate::Store;
use crate::deletion::{Deletion, Statements};
use crate::manager::{manager_names, names_as_manager};
use crate::mark::mark_dirty;
use crate::write::{Actor, UpdateError, change_entry};
use rollcall_provisioning::ids::ResourceId;

/// [`rollcall_scim::schema::enterprise::URN`], where only a literal will do.
macro_rules! enterprise {
    () => {
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    };
}

/// Deletes the user if it still has the version that was read (`$6`). It leaves its groups, whose versions do not
/// move: what a client wrote about the group has not changed.
const DELETE: &str = concat!(
    "WITH written AS (UPDATE users SET deleted_at = $3, modified_at = $3, version = version + 1 ",
    "WHERE tenant_id = $1 AND id = $2 AND version = $6 AND deleted_at IS NULL ",
    "RETURNING id, version, source_id, external_id, external_ids, employee_number_key), ",
    "left_groups AS (DELETE FROM memberships m USING written ",
    "WHERE m.tenant_id = $1 AND m.member_id = written.id::text RETURNING 1), ",
    change_entry!("user", "delete", "jsonb_build_object('groups', (SELECT count(*) FROM left_groups))"),
    ", released AS (UPDATE users r SET manager_id = NULL, manager_by = NULL, manager_key = NULL, manager_source = NULL, ",
    "version = r.version + 1, modified_at = $3, attributes = CASE ",
    "WHEN (r.attributes -> '",
    enterprise!(),
    "') - 'manager' = '{}'::jsonb THEN r.attributes - '",
    enterprise!(),
    "' ELSE r.attributes #- '{",
    enterprise!(),
    ",manager}' END FROM written WHERE r.tenant_id = $1 AND r.manager_id = written.id::text ",
    "AND r.deleted_at IS NULL AND r.id <> written.id RETURNING r.id, r.version), ",
    "released_entries AS (INSERT INTO changes (tenant_id, at, source_id, request_id, operation, resource_kind, ",
    "resource_id, version, details) SELECT $1, $3, $4, $5, 'update', 'user', released.id, released.version, ",
    "jsonb_build_object('attributes', jsonb_build_array('",
    enterprise!(),
    ":manager')) FROM released), ",
    "dirty AS (SELECT written.id AS resource_id, 0::smallint AS lane FROM written UNION ALL ",
    "SELECT r.id, CASE WHEN r.active THEN 2::smallint ELSE 0::smallint END ",
    "FROM written JOIN users r ON r.tenant_id = $1 AND r.manager_id = written.id::text ",
    "WHERE r.deleted_at IS NULL AND r.id <> written.id UNION ",
    "SELECT r.id, CASE WHEN r.active THEN 2::smallint ELSE 0::smallint END FROM written ",
    "CROSS JOIN LATERAL (",
    manager_names!("written", creator = "written.source_id"),
    ") named JOIN users r ON r.tenant_id = $1 AND ",
    names_as_manager!(),
    " WHERE r.deleted_at IS NULL AND r.id <> written.id), ",
    mark_dirty!("user", at = "$3", request_id = "$5"),
    " SELECT count(*) FROM written"
);

const STATEMENTS: Statements = Statements {
    version: "SELECT version FROM users WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL",
    version_locked: "SELECT version FROM users WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE",
    delete: DELETE,
};

impl Store {
    /// Deletes a user, if `check` agrees to the version it has.
    pub async fn delete_user<E: Send>(
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
