//! The one place that says how a delivery becomes dirty.
//!
//! A mark is "a reason to look again", nothing more: whoever looks reloads everything (design §5). The fragment is
//! part of the statement that writes the resource, so a resource is never written without its marks.
//!
//! Groups have no deliveries yet. When roles and chats come, the statements of the group files get a CTE `dirty` and
//! this fragment with the kind `group`.

/// Marks, as a CTE named `marked`, the rows of a CTE `dirty (resource_id uuid, lane smallint)` for every target of
/// the tenant, a new row where there is none. Returns the
/// `target_id`, `resource_id` and `state` of each.
///
/// `$1` is the tenant; `at` is the moment of the write and `request_id` its request.
///
/// A worker that is at the row keeps it: its state stays until the lease is over, by the database's clock. The lane
/// only gets better while the row is dirty, so a leaver does not lose the front seat to a later change. Rows are
/// written in one order, so that two writers of several marks wait for each other instead of blocking each other.
macro_rules! mark_dirty {
    ($kind:literal, at = $at:literal, request_id = $request_id:literal) => {
        concat!(
            "marked AS (INSERT INTO deliveries AS d (tenant_id, target_id, resource_kind, resource_id, lane, state, ",
            "due_at, dirty_since, request_id, updated_at) ",
            "SELECT $1, t.id, '",
            $kind,
            "', dirty.resource_id, dirty.lane, 'pending', ",
            $at,
            ", ",
            $at,
            ", ",
            $request_id,
            ", ",
            $at,
            " ",
            "FROM dirty CROSS JOIN targets t WHERE t.tenant_id = $1 ORDER BY dirty.resource_id, t.id ",
            "ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE SET ",
            "mark = d.mark + 1, attempt = 0, ",
            "lane = CASE WHEN d.mark > d.done_mark THEN LEAST(d.lane, excluded.lane) ELSE excluded.lane END, ",
            "state = CASE WHEN d.lease_until > now() THEN d.state ELSE excluded.state END, ",
            "due_at = excluded.due_at, dirty_since = COALESCE(d.dirty_since, excluded.dirty_since), ",
            "waiting_for = NULL, error_class = NULL, error_code = NULL, reason = NULL, ",
            "request_id = excluded.request_id, updated_at = excluded.updated_at ",
            "RETURNING target_id, resource_id, state)"
        )
    };
}
pub(crate) use mark_dirty;
