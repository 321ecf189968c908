//! Groups with more members than are loaded at once: every answer that shows members shows all of them.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use rollcall_store::groups::{LISTED_MEMBERS, LOADED_MEMBERS};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::world::{World, none_wrong, not_refused, patch};

/// Puts so many people into a group, without asking the server; every tenth has been deleted since.
async fn fill(world: &World, group: &str, people: usize) -> anyhow::Result<BTreeSet<String>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "WITH coming AS (
             INSERT INTO users (tenant_id, id, source_id, user_name_key, active, email_keys, attributes, version, created_at,
                                modified_at, deleted_at)
             SELECT g.tenant_id, gen_random_uuid(), g.source_id, g.id || '-' || n, true, '{}',
                    jsonb_build_object('userName', 'person ' || n), 1, now(), now(), CASE WHEN n % 10 = 0 THEN now() END
             FROM groups g, generate_series(1, $2) n WHERE g.id = $1::uuid RETURNING tenant_id, id, deleted_at),
         joined AS (INSERT INTO memberships (tenant_id, group_id, member_id)
                    SELECT tenant_id, $1::uuid, id::text FROM coming)
         SELECT id::text FROM coming WHERE deleted_at IS NULL",
    )
    .bind(group)
    .bind(i32::try_from(people)?)
    .fetch_all(world.database.pool())
    .await?;
    Ok(ids.into_iter().collect())
}

/// What is wrong with the members of a group in an answer; `display` says whether they are described.
fn strange(group: &Value, expected: &BTreeSet<String>, display: bool) -> Option<String> {
    let members: Vec<&Value> = group["members"].as_array().into_iter().flatten().collect();
    let values: BTreeSet<String> =
        members.iter().filter_map(|member| member["value"].as_str()).map(str::to_owned).collect();
    if members.len() != expected.len() || values != *expected {
        return Some(format!("{} of {} members: {}", values.len(), expected.len(), group["displayName"]));
    }
    let described = |member: &&&Value| {
        member["display"].as_str().is_some_and(|name| name.starts_with("person "))
            && member["type"] == "User"
            && member["$ref"]
                .as_str()
                .is_some_and(|url| url.ends_with(&format!("/Users/{}", member["value"].as_str().unwrap_or("?"))))
    };
    let count = members.iter().filter(described).count();
    (count != if display { members.len() } else { 0 }).then(|| format!("{count} are described: {}", members[0]))
}

#[tokio::test]
async fn everybody_is_shown_wherever_members_are() -> anyhow::Result<()> {
    let world = World::with(&["generic", "entra"]).await?;
    let client = world.client("generic");
    let sizes = [3, LISTED_MEMBERS + 20, 0, LOADED_MEMBERS + 1, 2 * LOADED_MEMBERS + 300, 1];
    let mut groups = Vec::new();
    for size in sizes {
        let group = world.group(client, json!({})).await?;
        let members = fill(&world, &group.id, size).await?;
        groups.push((group, members));
    }
    let mut wrong = Vec::new();
    for (group, members) in &groups {
        let read = client.get(&group.path).await?;
        wrong.extend(strange(&read.body, members, true).map(|what| format!("GET: {what}")));
        let version = &read.body["meta"]["version"];
        if read.etag() != version.as_str() || read.body["displayName"].is_null() || read.body["id"] != *group.id {
            wrong.push(format!("GET: {:?}, {version}", read.etag()));
        }
        let read = client.get(&format!("{}?attributes=members.value", group.path)).await?.body;
        wrong.extend(strange(&read, members, false).map(|what| format!("members.value: {what}")));
        wrong.extend((!read["displayName"].is_null()).then(|| format!("members.value: {}", read["displayName"])));
        let read = client.get(&format!("{}?excludedAttributes=members", group.path)).await?.body;
        wrong.extend((!read["members"].is_null()).then(|| "excluded, and there".to_owned()));
        let title = patch(&json!([{ "op": "replace", "path": "displayName", "value": format!("New {}", group.id) }]));
        let changed = client.patch(&format!("{}?attributes=members,displayName", group.path), &title).await?;
        wrong.extend(strange(&changed.body, members, true).map(|what| format!("PATCH: {what}")));
        if changed.body["displayName"] != format!("New {}", group.id) || changed.status != 200 {
            wrong.push(format!("PATCH: {} {}", changed.status, changed.body["displayName"]));
        }
    }
    let search =
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "displayName pr" });
    let lists = [
        client.get("/Groups").await?,
        client.get("/Groups?cursor=").await?,
        client.get("/Groups?sortBy=id").await?,
        client.get("/?filter=displayName%20pr&sortBy=id").await?,
        client.get("/?filter=displayName%20pr").await?,
        client.get("/?filter=displayName%20pr&cursor=").await?,
        client.get("/Groups?filter=meta.created%20gt%20%222000-01-01T00:00:00Z%22").await?,
        client.post("/Groups/.search", &search).await?,
    ];
    for (number, list) in lists.iter().enumerate() {
        let resources = list.body["Resources"].as_array().cloned().unwrap_or_default();
        for ((group, members), shown) in groups.iter().zip(&resources) {
            let what = if shown["id"] == *group.id { strange(shown, members, true) } else { Some("order".to_owned()) };
            wrong.extend(what.map(|what| format!("list {number}: {what}")));
        }
        if list.body["itemsPerPage"] != groups.len() || resources.len() != groups.len() {
            wrong.push(format!("list {number}: {} groups of {}", resources.len(), list.body["itemsPerPage"]));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn a_filter_that_only_a_look_at_members_can_judge_is_bounded() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let group = world.group(client, json!({ "displayName": "Team" })).await?;
    let members = fill(&world, &group.id, 2_000).await?;
    let by_name = "/Groups?filter=members%5Bdisplay%20eq%20%22person%201999%22%5D";
    let found = client.get(by_name).await?.body;
    assert_eq!((&found["totalResults"], &found["Resources"][0]["id"]), (&json!(1), &json!(group.id)), "{found}");
    assert_eq!(strange(&found["Resources"][0], &members, true), None);
    let large = world.group(client, json!({ "displayName": "Everybody" })).await?;
    fill(&world, &large.id, 50_000).await?;
    let refused = client.get(by_name).await?;
    none_wrong(&not_refused(&refused, 400, "tooMany").into_iter().collect::<Vec<_>>());
    let narrowed = client.get(&format!("{by_name}%20and%20displayName%20eq%20%22Team%22")).await?.body;
    assert_eq!(narrowed["totalResults"], 1, "{narrowed}");
    Ok(())
}

/// Members of a group whose answer fits into no buffer between server and client: some fourteen million bytes.
const BEYOND_BUFFERS: usize = 60_000;

/// Begins to read an answer and holds back after the first member: the connection, and what has come.
async fn begin_to_read(world: &World, path: &str) -> anyhow::Result<(TcpStream, Vec<u8>)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4_096)?;
    let mut stream = socket.connect(world.server.listen()).await?;
    let token = world.token_of("generic");
    let request =
        format!("GET /scim/v2{path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("\"value\":") {
        anyhow::ensure!(stream.read_buf(&mut read).await? > 0, "no answer: {}", String::from_utf8_lossy(&read));
    }
    Ok((stream, read))
}

/// Reads on to the end of the connection, which may be an error: everything that came, as text.
async fn read_on((mut stream, mut read): (TcpStream, Vec<u8>)) -> anyhow::Result<String> {
    let to_the_end = async { while stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {} };
    tokio::time::timeout(Duration::from_secs(30), to_the_end).await.context("the connection is not ended")?;
    Ok(String::from_utf8(read)?)
}

/// The status has long been sent: all that is left is to end the connection before the answer is whole, and to say why.
#[tokio::test]
async fn an_answer_that_the_database_breaks_off_is_not_taken_for_a_whole_one() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let group = world.group(world.client("generic"), json!({})).await?;
    let members = fill(&world, &group.id, BEYOND_BUFFERS).await?;
    let begun = begin_to_read(&world, &group.path).await?;

    // Nobody can connect until this is undone.
    let allow = "UPDATE pg_database SET datallowconn = $1 WHERE datname = current_database()";
    let mut admin = world.database.pool().acquire().await?;
    sqlx::query(allow).bind(false).execute(&mut *admin).await?;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'rollcall'";
    let ended: i64 = sqlx::query_scalar(end).fetch_one(&mut *admin).await?;
    assert!(ended > 0, "the server had a connection");

    let text = read_on(begun).await?;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{}", &text[..200]);
    assert!(text.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked\r\n"), "{}", &text[..900]);
    assert!(!text.ends_with("0\r\n\r\n"), "a client would take it for the whole");
    let came = text.matches("\"value\":").count();
    assert!((1..members.len()).contains(&came), "{came} of {}", members.len());
    let told = world.server.output().matches("an answer was broken off in the middle").count();
    assert_eq!(told, 1, "{}", world.server.output());
    let cause =
        world.server.output().lines().any(|line| line.contains("broken off") && line.contains("error.sources="));
    assert!(cause, "why is told too: {}", world.server.output());

    sqlx::query(allow).bind(true).execute(&mut *admin).await?;
    let whole = world.client("generic").get(&group.path).await?;
    assert_eq!(strange(&whole.body, &members, true), None, "the next one is whole again");
    assert_eq!(world.server.output().matches("broken off").count(), 1, "{}", world.server.output());
    Ok(())
}
