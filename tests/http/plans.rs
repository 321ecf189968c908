//! How Postgres answers what clients ask all day: the plans of the statements that the server runs for it, told by Postgres
//! itself (`auto_explain`) among twenty thousand people.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use rollcall_tests::{Client, ScimClient};
use serde_json::{Value, json};

use crate::world::{ENTERPRISE, World, none_wrong, patch};

/// A statement is planned by its values five times. From then on Postgres may take a plan that suits all values.
const TIMES: usize = 7;

/// The tables that grow with the directory.
const TABLES: [&str; 3] = ["users", "groups", "memberships"];

/// The id of somebody, and of the group that everybody is in.
const SOMEBODY: &str = "00000000-0000-7000-8000-000000000050";
const STAFF: &str = "00000000-0000-7000-9000-000000000001";

/// Fills the directory of the only tenant: people with everything that they are looked up by, one group with everybody and
/// many small ones.
const FILL: [&str; 4] = [
    "INSERT INTO users (tenant_id, id, source_id, user_name_key, external_id, external_ids, active, display_name_key,
                        email_keys, employee_number_key, manager_id, attributes, version, created_at, modified_at)
     SELECT s.tenant_id, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, s.id, 'user-' || n, 'ext-' || n,
            jsonb_build_object(o.id, 'other-' || n), true, 'shown-' || n, ARRAY['mail-' || n], 'number-' || n, 'boss-' || n,
            jsonb_build_object('userName', 'user-' || n), 1, now(), now()
     FROM generate_series(1, 20000) n, sources s, sources o WHERE s.name = 'generic' AND o.name = 'entra'",
    "INSERT INTO groups (tenant_id, id, source_id, display_name_key, external_id, external_ids, attributes, version,
                         created_at, modified_at)
     SELECT s.tenant_id, ('00000000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, s.id, 'group-' || n, 'ext-' || n,
            jsonb_build_object(o.id, 'other-' || n), jsonb_build_object('displayName', 'group-' || n), 1, now(), now()
     FROM generate_series(1, 10000) n, sources s, sources o WHERE s.name = 'generic' AND o.name = 'entra'",
    "INSERT INTO memberships (tenant_id, group_id, member_id)
     SELECT t.id, ('00000000-0000-7000-9000-' || lpad(g::text, 12, '0'))::uuid,
            '00000000-0000-7000-8000-' || lpad(n::text, 12, '0')
     FROM tenants t, generate_series(1, 20000) n, LATERAL (VALUES (1), (2 + n % 9999)) AS of (g)",
    "VACUUM ANALYZE users, groups, memberships",
];

/// From now on every session of this database says how each of its statements was run.
async fn explain_everything(world: &World) -> anyhow::Result<()> {
    for (setting, value) in [
        ("session_preload_libraries", "'auto_explain'"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_format", "json"),
        ("auto_explain.log_nested_statements", "on"),
        ("client_min_messages", "log"),
    ] {
        let alter = format!("ALTER DATABASE {} SET {setting} = {value}", world.database.name());
        sqlx::raw_sql(sqlx::AssertSqlSafe(alter)).execute(world.database.pool()).await?;
    }
    Ok(())
}

/// The plans in what the server wrote.
fn plans(output: &str) -> anyhow::Result<Vec<Value>> {
    let mut plans = Vec::new();
    for line in output.lines() {
        let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        if let Some((_, plan)) = line["message"].as_str().and_then(|message| message.split_once("plan:\n")) {
            plans.push(serde_json::from_str(plan).with_context(|| plan.to_owned())?);
        }
    }
    Ok(plans)
}

/// What plans do with the tables of the directory.
#[derive(Default)]
struct Seen {
    indexes: BTreeSet<String>,
    /// Tables that are read as a whole.
    whole: BTreeSet<String>,
}

impl Seen {
    fn look(&mut self, node: &Value) {
        let text = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
        if text("Node Type") == "Seq Scan" && TABLES.contains(&text("Relation Name").as_str()) {
            self.whole.insert(text("Relation Name"));
        }
        // Two indexes find a resource by its id, and either will do.
        self.indexes.insert(text("Index Name").replace("_live_idx", "_pkey"));
        for part in node["Plans"].as_array().into_iter().flatten() {
            self.look(part);
        }
    }
}

/// What a client asks.
#[derive(Clone)]
enum Ask {
    Get(String),
    Find(&'static str, String),
    Member(&'static str, String),
}

/// What it comes to: the plans for it, and the cursor of the next page.
async fn ask(world: &World, source: &str, ask: &Ask) -> anyhow::Result<(Seen, Option<String>)> {
    let client = ScimClient::new(Client::Plain, &world.scim_url(), world.token_of(source))?;
    let before = world.server.output().len();
    let reply = match ask {
        Ask::Get(path) => client.get(path).await?,
        Ask::Find(path, filter) => client.find(path, filter).await?,
        Ask::Member(op, member) => {
            let change = json!([{ "op": op, "path": "members", "value": [{ "value": member }] }]);
            client.patch(&format!("/Groups/{STAFF}?excludedAttributes=members"), &patch(&change)).await?
        }
    };
    ensure!(reply.status == 200 && reply.body["itemsPerPage"] != 0, "{} {}", reply.status, reply.body);
    let (output, mut seen) = (world.server.output(), Seen::default());
    for plan in plans(output.get(before..).unwrap_or_default())? {
        seen.look(&plan["Plan"]);
    }
    Ok((seen, reply.body["nextCursor"].as_str().map(str::to_owned)))
}

#[tokio::test]
async fn whatever_is_looked_up_is_found_by_an_index() -> anyhow::Result<()> {
    let said = [("ROLLCALL_LOG", "sqlx::postgres::notice=trace"), ("ROLLCALL_LOG_FORMAT", "json")];
    let mut world = World::with_environment(&["generic", "entra"], &said).await?;
    for statement in FILL {
        sqlx::query(statement).execute(world.database.pool()).await?;
    }
    explain_everything(&world).await?;
    world.server.restart().await?;

    let page = |cursor: &str| Ask::Get(format!("/Users?attributes=userName&count=1000&cursor={cursor}"));
    let mut last = page("");
    while let (_, Some(cursor)) = ask(&world, "generic", &last).await? {
        last = page(&cursor);
    }
    let get = |path: String| vec![Ask::Get(path)];
    let user = |filter: &str| vec![Ask::Find("/Users", filter.to_owned())];
    let group = |filter: &str| vec![Ask::Find("/Groups?excludedAttributes=members", filter.replace("STAFF", STAFF))];
    let of_user = ["memberships_member_idx", "groups_pkey"];
    let cases = [
        ("id", get(format!("/Users/{SOMEBODY}")), &["users_pkey"][..], &of_user[..]),
        ("id in a filter", user(&format!("id eq \"{SOMEBODY}\"")), &["users_pkey"], &of_user),
        ("userName", user("userName eq \"USER-50\""), &["users_user_name_key"], &of_user),
        ("externalId", user("externalId eq \"ext-50\""), &["users_external_id_idx"], &of_user),
        ("e-mail", user("emails.value eq \"mail-50\""), &["users_email_idx"], &of_user),
        ("displayName", user("displayName eq \"shown-50\""), &["users_display_name_idx"], &of_user),
        (
            "employeeNumber",
            user(&format!("{ENTERPRISE}:employeeNumber eq \"number-50\"")),
            &["users_employee_number_idx"],
            &of_user,
        ),
        ("manager", user("manager eq \"boss-50\""), &["users_manager_idx"], &of_user),
        ("first page", vec![page("")], &["users_pkey"], &[]),
        ("last page", vec![last], &["users_pkey"], &[]),
        ("group by id", get(format!("/Groups/{STAFF}?excludedAttributes=members")), &["groups_pkey"], &[]),
        ("displayName of a small group", group("displayName eq \"Group-50\""), &["groups_display_name_key"], &[]),
        ("displayName of a large group", group("displayName eq \"Group-1\""), &["groups_display_name_key"], &[]),
        ("externalId of a group", group("externalId eq \"ext-50\""), &["groups_external_id_idx"], &[]),
        (
            "whether somebody is a member",
            group(&format!("id eq \"STAFF\" and members eq \"{SOMEBODY}\"")),
            &["groups_pkey", "memberships_pkey"],
            &[],
        ),
        (
            "a member goes and comes",
            ["remove", "add"].map(|op| Ask::Member(op, SOMEBODY.to_owned())).to_vec(),
            &["groups_pkey", "memberships_pkey"],
            &[],
        ),
    ];
    let creator = cases.map(|(what, asked, by, besides)| ("generic", what, asked, [by, besides].concat()));
    let other = [
        ("entra", "externalId of another source", user("externalId eq \"other-50\""), vec!["users_external_ids_idx"]),
        ("entra", "that of a group", group("externalId eq \"other-50\""), vec!["groups_external_ids_idx"]),
    ];
    let mut wrong = Vec::new();
    for (source, what, asked, by) in creator.into_iter().chain(other) {
        for (time, one) in (0..TIMES).flat_map(|time| asked.iter().map(move |one| (time, one))) {
            let (Seen { indexes, whole }, _) = ask(&world, source, one).await.context(what)?;
            if !whole.is_empty() || !by.iter().all(|index| indexes.contains(*index)) {
                wrong.push(format!("{what}, time {time}: by {indexes:?} and not {by:?}, read as a whole {whole:?}"));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}
