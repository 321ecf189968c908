//! Values and requests of unusual size: none may fail the server, none may be stored in part.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::raw::exchange;
use crate::world::{ENTERPRISE, World, none_wrong, not_refused, patch};

/// Text that does not compress, so that it is as long in an index as it looks.
fn noise(length: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + u8::try_from(state % 26).unwrap_or_default())
    };
    (0..length).map(|_| next()).collect()
}

#[tokio::test]
async fn long_values_are_kept_and_found() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let mut wrong = Vec::new();
    for length in [999, 1_001, 2_800, 9_000, 131_072] {
        let text = noise(length);
        for (body, path) in [
            (json!({ "externalId": text }), "externalId"),
            (json!({ "displayName": text }), "displayName"),
            (json!({ "title": text }), "title"),
            (json!({ "emails": [{ "value": text, "type": "work" }] }), "emails.value"),
            (json!({ ENTERPRISE: { "employeeNumber": text } }), "employeeNumber"),
            (json!({ ENTERPRISE: { "manager": { "value": text } } }), "manager"),
        ] {
            let user = world.user(client, body.clone()).await?;
            let read = client.get(&user.path).await?.body;
            wrong.extend(crate::world::missing(&body, &read).map(|_| format!("{path} {length} was changed")));
            let (start, end) = (&text[..length.min(4_000)], &text[length.saturating_sub(4_000)..]);
            let mut filters = vec![
                (format!("{path} sw \"{start}\""), 1),
                (format!("{path} ew \"{end}\""), 1),
                (format!("{path} co \"{end}\""), 1),
            ];
            if length < 8_000 {
                filters.extend([(format!("{path} eq \"{text}\""), 1), (format!("{path} eq \"{text}x\""), 0)]);
            }
            for (filter, total) in filters {
                let reply = client.find("/Users", &filter).await?;
                if reply.body["totalResults"] != total {
                    wrong.push(format!("{} {length}: {} {}", &filter[..20], reply.status, reply.body["totalResults"]));
                }
            }
            client.delete(&user.path).await?;
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn what_is_too_large_is_refused() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let group = world.group(client, json!({ "members": ["x".repeat(1_024)] })).await?;
    let user = world.user(client, json!({})).await?;
    let long = noise(3_000);
    let emails = |count: usize| -> Value { (0..count).map(|index| json!({ "value": format!("e{index}") })).collect() };
    let titles =
        |count: usize| -> Value { (0..count).map(|_| json!({ "op": "add", "path": "title", "value": "t" })).collect() };
    let member = |value: &str| {
        patch(&json!([{ "op": "add", "path": "members", "value": [{ "value": "fine" }, { "value": value }] }]))
    };
    assert_eq!(
        client
            .post("/Users", &world.user_body(&json!({ "userName": "n".repeat(1_024), "emails": emails(1_000) })))
            .await?
            .status,
        201
    );
    assert_eq!(client.patch(&user.path, &patch(&titles(1_000))).await?.status, 200);
    let refused = [
        ("userName", client.post("/Users", &world.user_body(&json!({ "userName": long }))).await?, 400, "invalidValue"),
        (
            "userName",
            client.post("/Users", &world.user_body(&json!({ "userName": "İ".repeat(400) }))).await?,
            400,
            "invalidValue",
        ),
        (
            "userName",
            client.post("/Users", &world.user_body(&json!({ "userName": noise(300_000) }))).await?,
            400,
            "invalidValue",
        ),
        (
            "title",
            client.post("/Users", &world.user_body(&json!({ "title": noise(131_073) }))).await?,
            400,
            "invalidValue",
        ),
        ("emails", client.post("/Users", &world.user_body(&json!({ "emails": emails(1_001) }))).await?, 413, ""),
        ("operations", client.patch(&user.path, &patch(&titles(1_001))).await?, 413, ""),
        (
            "displayName",
            client.post("/Groups", &world.group_body(&json!({ "displayName": long }))).await?,
            400,
            "invalidValue",
        ),
        (
            "member",
            client.post("/Groups", &world.group_body(&json!({ "members": [long] }))).await?,
            400,
            "invalidValue",
        ),
        ("member", client.patch(&group.path, &member(&long)).await?, 400, "invalidValue"),
        (
            "member",
            client.put(&group.path, &world.group_body(&json!({ "members": ["fine", long] }))).await?,
            400,
            "invalidValue",
        ),
        ("body", client.post("/Users", &world.user_body(&json!({ "x": "y".repeat(1_048_576) }))).await?, 413, ""),
    ];
    let mut wrong = Vec::new();
    for (row, reply, status, scim_type) in &refused {
        wrong.extend(not_refused(reply, *status, scim_type).map(|why| format!("{row}: {why}")));
        if reply.body.to_string().len() > 1_500 {
            wrong.push(format!("{row}: an error of {} bytes", reply.body.to_string().len()));
        }
    }
    none_wrong(&wrong);
    assert_eq!(client.get(&group.path).await?.body["members"].as_array().map(Vec::len), Some(1), "nothing was stored");
    Ok(())
}

/// A client that sends everything before it listens still hears why it was refused.
#[tokio::test]
async fn a_body_that_is_too_large_is_answered() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let token = world.token_of("generic");
    let (length, piece) = (8 * 1_048_576, "x".repeat(65_536));
    let chunks = format!("10000\r\n{piece}\r\n").repeat(128) + "0\r\n\r\n";
    let declared = format!("Content-Length: {length}\r\n");
    for (row, token, headers, body) in [
        ("declared", token, declared.clone(), piece.repeat(128)),
        ("chunked", token, "Transfer-Encoding: chunked\r\n".to_owned(), chunks),
        ("expected", token, format!("{declared}Expect: 100-continue\r\n"), String::new()),
        ("by nobody", "x", declared, piece.repeat(128)),
    ] {
        let head = format!("POST /scim/v2/Users HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n{headers}\r\n");
        let answer = exchange(&world.server, (head + &body).as_bytes()).await.context(row)?;
        assert_eq!((answer.status, &answer.json()["status"]), (413, &json!("413")), "{row}: {answer:?}");
        assert!(answer.head.contains("\r\nconnection: close\r\n"), "{row}: {}", answer.head);
    }
    Ok(())
}

/// A client that reads a resource can always send it back.
#[tokio::test]
async fn a_resource_does_not_outgrow_a_request() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let user = world.user(client, json!({})).await?;
    let mut grown = 0;
    let last = loop {
        let add =
            json!([{ "op": "add", "path": "ims", "value": [{ "value": format!("{grown}{}", "x".repeat(130_000)) }] }]);
        let reply = client.patch(&user.path, &patch(&add)).await?;
        if reply.status != 200 || grown > 20 {
            break reply;
        }
        grown += 1;
    };
    assert_eq!((grown, not_refused(&last, 413, "")), (7, None));
    let whole = client.get(&user.path).await?.body;
    assert_eq!(client.put(&user.path, &whole).await?.status, 200);
    let less = client.patch(&user.path, &patch(&json!([{ "op": "remove", "path": "ims" }]))).await?;
    assert_eq!((less.status.as_u16(), less.body.get("ims")), (200, None));
    Ok(())
}

#[tokio::test]
async fn a_large_group() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let values: Vec<String> = (0..9_000).map(|number| format!("01a20584-0000-7000-8000-{number:012x}")).collect();
    let group = world.group(client, json!({})).await?;
    let add = |values: &[String]| -> Value {
        let values: Value = values.iter().map(|value| json!({ "value": value })).collect();
        patch(&json!([{ "op": "Add", "path": "members", "value": values }]))
    };
    let count =
        async || client.get(&group.path).await.map(|reply| reply.body["members"].as_array().map_or(0, Vec::len));
    assert_eq!(client.patch(&group.path, &add(&values)).await?.status, 204);
    assert_eq!(count().await?, 9_000);
    let removals: Value = values
        .iter()
        .take(1_000)
        .map(|value| json!({ "op": "remove", "path": format!("members[value eq \"{value}\"]") }))
        .collect();
    assert_eq!(client.patch(&group.path, &patch(&removals)).await?.status, 204);
    let named: Value = values[1_000..1_500]
        .iter()
        .map(|value| json!({ "op": "remove", "path": format!("members[value eq \"{value}\" and not (type pr)]") }))
        .collect();
    assert_eq!(client.patch(&group.path, &patch(&named)).await?.status, 204);
    assert_eq!(count().await?, 7_500);
    let sweeps: Value =
        (0..500).map(|number| json!({ "op": "remove", "path": format!("members[display eq \"{number}\"]") })).collect();
    let refused = client.patch(&group.path, &patch(&sweeps)).await?;
    assert_eq!(not_refused(&refused, 400, "tooMany"), None, "looking at everybody five hundred times");
    assert_eq!(client.get(&format!("{}?excludedAttributes=members", group.path)).await?.body.get("members"), None);
    Ok(())
}
