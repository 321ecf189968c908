//! A directory of any size, made in minutes: the product makes one person and one group, and Postgres copies their rows
//! with other ids and numbers. So the rows are what the product writes, whatever it writes.

use std::fmt;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::cluster::Cluster;
use crate::load::Connection;
use crate::operation::{FIRST, ID_PREFIX, NUMBER, person, request};
use crate::product::{Api, Product, Running};

/// What the id of a copied group begins with; its number is the rest.
const GROUP_PREFIX: &str = "01990000-0000-7000-9000-";

/// Members of each ordinary group.
const TEAM: u32 = 20;

/// Groups that one person is in.
pub(crate) const BUSY: u32 = 1_000;

/// Members of the one large group, at most; otherwise a tenth of everybody.
const LARGE: u32 = 100_000;

/// A filled directory and a server for it.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Where to ask.
    pub(crate) api: Api,
    /// The server.
    pub(crate) server: Running,
    /// How many people there are.
    pub(crate) people: u32,
    /// How many groups, without the large one.
    pub(crate) groups: u32,
    /// How many of the people, the first ones, are in the large group.
    pub(crate) members: u32,
    /// The large group.
    pub(crate) large: String,
    /// The path of the last full page by cursor, once it is known.
    pub(crate) last_page: String,
}

impl Directory {
    /// Makes a database with so many people, and starts a server.
    pub(crate) async fn fill(cluster: &Cluster, binary: &Path, people: u32) -> anyhow::Result<Self> {
        let database = format!("scale_{people}");
        cluster.execute(&[&format!("CREATE DATABASE {database}")]).await?;
        let product = Product::new(binary, cluster.url(&database), cluster.folder().join(&database))?;
        // Nothing is sent to a paused target, but every change is marked for it.
        let tenant = product.set_up("http://127.0.0.1:9", "paused").await?;
        let server = product.serve("api").await?;
        let api = tenant.api(&server);

        let mut http = Connection::open(api.address).await?;
        let model_person = create(&mut http, &api, "Users", &person()).await?;
        let group =
            |name: &str| json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
        let model_group = create(&mut http, &api, "Groups", &group(&format!("Team {NUMBER}"))).await?;
        let large = create(&mut http, &api, "Groups", &group("Everybody")).await?;

        let (groups, members) = ((people / TEAM).max(BUSY), (people / 10).min(LARGE));
        let mut postgres = cluster.connect(&database).await?;
        copy(&mut postgres, "users", (&model_person, ID_PREFIX), people).await?;
        copy(&mut postgres, "groups", (&model_group, GROUP_PREFIX), groups).await?;
        let person_id = |n: &str| format!("'{ID_PREFIX}' || lpad(({FIRST} + {n})::text, 12, '0')");
        let group_id = |n: &str| format!("('{GROUP_PREFIX}' || lpad(({FIRST} + {n})::text, 12, '0'))::uuid");
        let teams = format!(
            "SELECT {}, {} FROM generate_series(0, {} - 1) n",
            group_id(&format!("n / {TEAM} % {groups}")),
            person_id("n"),
            people
        );
        let busy = format!("SELECT {}, {} FROM generate_series(0, {BUSY} - 1) n", group_id("n"), person_id("0"));
        let crowd = format!("SELECT '{large}'::uuid, {} FROM generate_series(0, {members} - 1) n", person_id("n"));
        for pairs in [teams, busy, crowd] {
            let insert = format!(
                "INSERT INTO memberships (tenant_id, group_id, member_id)
                 SELECT tenants.id, pairs.group_id, pairs.member_id
                 FROM tenants, ({pairs}) pairs (group_id, member_id) ON CONFLICT DO NOTHING"
            );
            sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut postgres).await?;
        }
        sqlx::raw_sql("VACUUM ANALYZE").execute(&mut postgres).await?;
        sqlx::raw_sql("CHECKPOINT").execute(&mut postgres).await?;
        postgres.close().await?;
        Ok(Self { api, server, people, groups, members, large, last_page: String::new() })
    }

    /// Stops the server.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.server.stop().await
    }

    /// The id of a person, the first one being 0.
    pub(crate) fn person(&self, n: u64) -> String {
        format!("{ID_PREFIX}{:012}", self.number(n))
    }

    /// The number of a person.
    pub(crate) fn number(&self, n: u64) -> u64 {
        FIRST + n % u64::from(self.people)
    }

    /// The name of a group.
    pub(crate) fn team(&self, n: u64) -> String {
        format!("Team {:012}", FIRST + n % u64::from(self.groups))
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} people, {} groups, one of {} members", self.people, self.groups, self.members)
    }
}

/// Makes a resource and returns its id.
async fn create(http: &mut Connection, api: &Api, endpoint: &str, body: &Value) -> anyhow::Result<String> {
    let text = request("POST", &format!("/scim/v2/{endpoint}"), Some(body), &api.host, &api.token);
    let answer = http.ask(text.as_bytes()).await?;
    ensure!(answer.status == 201, "{endpoint}: {}", String::from_utf8_lossy(answer.body));
    let body: Value = serde_json::from_slice(answer.body)?;
    Ok(body.get("id").and_then(Value::as_str).context("an answer without an id")?.to_owned())
}

/// Copies the rows of a resource, in its own table and wherever they speak of it, so many times.
async fn copy(
    postgres: &mut PgConnection,
    table: &str,
    (model, prefix): (&str, &str),
    times: u32,
) -> anyhow::Result<()> {
    for (table, id) in [(table, "id"), ("changes", "resource_id"), ("deliveries", "resource_id")] {
        let columns: String = sqlx::query_scalar(
            "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
             WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = ''",
        )
        .bind(table)
        .fetch_one(&mut *postgres)
        .await?;
        let insert = format!(
            "WITH model AS MATERIALIZED (SELECT to_jsonb(t)::text AS row FROM {table} t WHERE {id} = '{model}')
             INSERT INTO {table} ({columns})
             SELECT {columns} FROM model
             CROSS JOIN (SELECT lpad(({FIRST} + n)::text, 12, '0') AS number FROM generate_series(0, {times} - 1) n) n
             CROSS JOIN LATERAL jsonb_populate_record(NULL::{table},
                 replace(replace(model.row, '{model}', '{prefix}' || n.number), '{NUMBER}', n.number)::jsonb) copy"
        );
        sqlx::raw_sql(AssertSqlSafe(insert))
            .execute(&mut *postgres)
            .await
            .with_context(|| format!("copying {table}"))?;
    }
    Ok(())
}
