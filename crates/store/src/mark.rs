//! The one place that says how a delivery becomes dirty.
//!
//! A mark is "a reason to look again", nothing more: whoever looks reloads everything (design §5). The fragment is
//! part of the statement that writes the resource, so a resource is never written without its marks.

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
        $crate::mark::mark!(kind = concat!("'", $kind, "'"), mapping_version = "0", at = $at, request_id = $request_id)
    };
}
pub(crate) use mark_dirty;

/// The fragment itself, for deliveries of any `kind`. A new one was let through under `mapping_version`.
macro_rules! mark {
    (kind = $kind:expr, mapping_version = $mapping_version:expr, at = $at:literal, request_id = $request_id:literal) => {
        concat!(
            "marked AS (INSERT INTO deliveries AS d (tenant_id, target_id, resource_kind, resource_id, lane, state, ",
            "due_at, dirty_since, request_id, mapping_version, updated_at) ",
            "SELECT $1, t.id, ",
            $kind,
            ", dirty.resource_id, dirty.lane, 'pending', ",
            $at,
            ", ",
            $at,
            ", ",
            $request_id,
            ", ",
            $mapping_version,
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
pub(crate) use mark;

/// The group that a text column names, deleted ones too, as a lateral subquery `$inner (id)`. Each name is looked up by
/// itself: of a join the planner might think that it had better read all groups.
macro_rules! named_group {
    ($column:literal, $inner:literal) => {
        concat!(
            "CROSS JOIN LATERAL (SELECT g.id FROM groups g WHERE g.tenant_id = $1 AND g.id = ",
            $crate::members::named_id!($column),
            " LIMIT 1) ",
            $inner,
            " "
        )
    };
}
pub(crate) use named_group;

/// What follows from a change of groups `$2` and others, as CTEs of its statement, the last of which is `touched`. `$3` is
/// the moment and `$5` the request. The statement has three CTEs: `changed (id)`, the groups that changed; `news
/// (group_id, member_id)`, who came to which of them or left it; and `renamed (id)`, those all of whose members are
/// concerned.
///
/// Where rules make something of groups, the changed groups and all that hold them are marked, and of their members those
/// who came or went: the row of a person, or, for a group within a group, the one that stands for everybody. Where rules
/// for people ask about groups, the people are marked too. Elsewhere nothing is read but the tenant's row.
macro_rules! mark_groups {
    () => {
        concat!(
            "above AS MATERIALIZED (SELECT reached.start, reached.id FROM (WITH RECURSIVE up (start, id) AS (",
            "SELECT changed.id, changed.id FROM tenants o CROSS JOIN changed WHERE o.id = $1 AND o.maps_groups ",
            "UNION SELECT up.start, holding.group_id FROM up CROSS JOIN LATERAL (SELECT m.group_id FROM memberships m ",
            "WHERE m.tenant_id = $1 AND m.member_id = up.id::text OFFSET 0) holding) ",
            "SELECT start, id FROM up) reached), ",
            "concerned AS MATERIALIZED (SELECT found.id FROM (WITH RECURSIVE down (id) AS (",
            "(SELECT inner_group.id FROM tenants o CROSS JOIN news ",
            $crate::mark::named_group!("news.member_id", "inner_group"),
            "WHERE o.id = $1 AND o.asks_groups ",
            "UNION SELECT renamed.id FROM tenants o CROSS JOIN renamed WHERE o.id = $1 AND o.asks_groups) ",
            "UNION SELECT inner_group.id FROM down CROSS JOIN LATERAL (SELECT m.member_id FROM memberships m ",
            "WHERE m.tenant_id = $1 AND m.group_id = down.id OFFSET 0) held ",
            $crate::mark::named_group!("held.member_id", "inner_group"),
            ") SELECT ",
            $crate::members::named_id!("held.member_id"),
            " AS id FROM down CROSS JOIN LATERAL (SELECT m.member_id FROM memberships m ",
            "WHERE m.tenant_id = $1 AND m.group_id = down.id OFFSET 0) held ",
            "UNION SELECT ",
            $crate::members::named_id!("news.member_id"),
            " FROM tenants o CROSS JOIN news WHERE o.id = $1 AND o.asks_groups) found), ",
            "dirty AS (SELECT DISTINCT 'group' AS kind, above.id AS resource_id, 2::smallint AS lane FROM above ",
            "UNION ALL SELECT 'user', person.id, CASE WHEN person.active THEN 2::smallint ELSE 0::smallint END ",
            "FROM concerned CROSS JOIN LATERAL (SELECT u.id, u.active FROM users u ",
            "WHERE u.tenant_id = $1 AND u.id = concerned.id AND u.deleted_at IS NULL LIMIT 1) person), ",
            // A group that comes is new under the rules that count now, and need not wait for a plan.
            $crate::mark::mark!(
                kind = "dirty.kind",
                mapping_version = "CASE dirty.kind WHEN 'group' THEN (SELECT o.mapping_version FROM tenants o WHERE o.id = $1) ELSE 0 END",
                at = "$3",
                request_id = "$5"
            ),
            // After the deliveries, as a worker takes them.
            ", touched AS (INSERT INTO group_members AS gm (tenant_id, target_id, group_id, user_id) ",
            "SELECT DISTINCT $1, t.id, above.id, who.id FROM above JOIN news ON news.group_id = above.start ",
            "CROSS JOIN LATERAL (SELECT COALESCE((SELECT u.id FROM users u WHERE u.tenant_id = $1 AND u.id = ",
            $crate::members::named_id!("news.member_id"),
            "), (SELECT above.id FROM groups g WHERE g.tenant_id = $1 AND g.id = ",
            $crate::members::named_id!("news.member_id"),
            ")) AS id OFFSET 0) who CROSS JOIN targets t WHERE t.tenant_id = $1 AND who.id IS NOT NULL ",
            "AND (SELECT count(*) FROM marked) > 0 ORDER BY 2, 3, 4 ",
            "ON CONFLICT (tenant_id, target_id, group_id, user_id) DO UPDATE SET mark = gm.mark + 1, offered = NULL)"
        )
    };
}
pub(crate) use mark_groups;
