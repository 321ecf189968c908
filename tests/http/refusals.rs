//! Requests that are refused before anything is done: each in the form of its route, whatever is wrong with it.

use serde_json::json;

use crate::raw::exchange;
use crate::world::{ERROR, USER, World, none_wrong, not_refused};

/// A request as it goes over the wire.
fn request(world: &World, line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let token = world.token_of("generic");
    let head = format!("{line}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn bodies_that_nobody_can_read() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let user = |rest: &str| format!("{{\"schemas\":[\"{USER}\"],{rest}}}").into_bytes();
    let (deep, wide) = ("[".repeat(100_000), format!("{}1{}", "{\"a\":".repeat(60), "}".repeat(60)));
    let cases: Vec<(Vec<u8>, u16, &str)> = vec![
        (Vec::new(), 400, "invalidSyntax"),
        (b" \n".to_vec(), 400, "invalidSyntax"),
        (b"{".to_vec(), 400, "invalidSyntax"),
        (b"[]".to_vec(), 400, "invalidSyntax"),
        (b"null".to_vec(), 400, "invalidSyntax"),
        (b"{'a':1}".to_vec(), 400, "invalidSyntax"),
        (b"{\"a\":1} x".to_vec(), 400, "invalidSyntax"),
        (b"{\"a\":1e400}".to_vec(), 400, "invalidSyntax"),
        (b"{\"a\":NaN}".to_vec(), 400, "invalidSyntax"),
        (b"\xef\xbb\xbf{}".to_vec(), 400, "invalidSyntax"),
        (b"\xff\xfe{\0}\0".to_vec(), 400, "invalidSyntax"),
        (deep.into_bytes(), 400, "invalidSyntax"),
        (wide.into_bytes(), 400, "invalidSyntax"),
        (user(r#""userName":"\ud800""#), 400, "invalidSyntax"),
        (user(r#""userName":"\ud800\u0041""#), 400, "invalidSyntax"),
        (user(r#""userName":"a\u0000b""#), 400, "invalidValue"),
        (user(r#""userName":"a","x\u0000":1"#), 400, "invalidValue"),
        (user(r#""userName":"a","zzz":{"a":[{"b":"\u0000"}]}"#), 400, "invalidValue"),
        (user(r#""userName":"a","USERNAME":"b""#), 400, "invalidSyntax"),
        (user(r#""userName":"a","userName":"b""#), 400, "invalidSyntax"),
        (user(r#""userName":"a","name":{"givenName":"a","givenName":"b"}"#), 400, "invalidSyntax"),
        (user(r#""userName":"a\nb""#), 400, "invalidValue"),
        (user(r#""userName":["a"]"#), 400, "invalidValue"),
        (user(r#""userName":" ""#), 400, "invalidValue"),
        (user(r#""title":"no name""#), 400, "invalidValue"),
        (user(r#""userName":"a","emails":[1]"#), 400, "invalidValue"),
        (
            user(r#""userName":"a","emails":[{"value":"a","primary":true},{"value":"b","primary":true}]"#),
            400,
            "invalidValue",
        ),
        (user(r#""userName":"a","active":"maybe""#), 400, "invalidValue"),
        (user(r#""userName":"a","x509Certificates":[{"value":"***"}]"#), 400, "invalidValue"),
        (br#"{"userName":"a"}"#.to_vec(), 400, "invalidSyntax"),
        (br#"{"schemas":[],"userName":"a"}"#.to_vec(), 400, "invalidSyntax"),
        (
            br#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"userName":"a"}"#.to_vec(),
            400,
            "invalidSyntax",
        ),
    ];
    let mut wrong = Vec::new();
    for (body, status, scim_type) in cases {
        let headers = format!("Host: h\r\nContent-Type: application/scim+json\r\nContent-Length: {}\r\n", body.len());
        let answer = exchange(&world.server, &request(&world, "POST /scim/v2/Users HTTP/1.1", &headers, &body)).await?;
        let told = answer.json();
        let start: String = String::from_utf8_lossy(&body).chars().take(80).collect();
        if answer.status != status || told["scimType"] != scim_type || !answer.head.contains("application/scim+json") {
            wrong.push(format!("{start}: {} {}", answer.status, answer.body));
        }
    }
    none_wrong(&wrong);
    assert_eq!(world.client("generic").get("/Users").await?.body["totalResults"], 0, "nothing was stored");
    Ok(())
}

#[tokio::test]
async fn media_types() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let mut wrong = Vec::new();
    for (headers, status) in [
        ("", 201),
        ("Content-Type: \r\n", 201),
        ("Content-Type: application/json\r\n", 201),
        ("Content-Type: application/scim+json; charset=utf-8\r\n", 201),
        ("Content-Type: APPLICATION/JSON;CHARSET=\"UTF-8\"\r\n", 201),
        ("Content-Type: application/json\r\nAccept: text/html\r\n", 201),
        ("Content-Encoding: identity\r\n", 201),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: application/json; charset=utf-16\r\n", 415),
        ("Content-Type: application/jsonx\r\n", 415),
        ("Content-Encoding: gzip\r\n", 415),
    ] {
        let body = world.user_body(&json!({})).to_string();
        let headers = format!("Host: h\r\n{headers}Content-Length: {}\r\n", body.len());
        let request = request(&world, "POST /scim/v2/Users HTTP/1.1", &headers, body.as_bytes());
        let answer = exchange(&world.server, &request).await?;
        let right_type = answer.head.contains("\r\ncontent-type: application/scim+json\r\n");
        if answer.status != status || !right_type {
            wrong.push(format!("C1, C2 {headers}: {} {}", answer.status, answer.body));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn odd_requests() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
    let chunks = format!("{}0\r\n\r\n", chunk.repeat(40)).into_bytes();
    let long = "a".repeat(60_000);
    let cases: Vec<(String, &str, Vec<u8>, u16)> = vec![
        ("GET /scim/v2/Users HTTP/1.0".to_owned(), "", Vec::new(), 200),
        ("GET /scim/v2/Users HTTP/1.0".to_owned(), "Host: h\r\nHost: h\r\n", Vec::new(), 400),
        ("GET /scim/v2/Users HTTP/1.1".to_owned(), "", Vec::new(), 400),
        ("GET http://elsewhere.test/scim/v2/Users HTTP/1.1".to_owned(), "", Vec::new(), 400),
        ("GET /scim/v2/Users HTTP/1.1".to_owned(), "Host: h\r\nHost: h\r\n", Vec::new(), 400),
        ("GET /scim/v2/Users HTTP/1.1".to_owned(), "Host: a b\r\n", Vec::new(), 400),
        ("GET /scim/v2/Users HTTP/1.1".to_owned(), "Host: h/x\r\n", Vec::new(), 400),
        ("GET /scim/v2/Users HTTP/1.1".to_owned(), "Host: u@h\r\n", Vec::new(), 400),
        ("GET /scim/v2/Users HTTP/1.1".to_owned(), "Host:\r\n", Vec::new(), 200),
        ("GET /scim/v2/Users HTTP/1.1".to_owned(), "Host: [::1]:8080\r\n", Vec::new(), 200),
        ("POST /scim/v2/Users HTTP/1.1".to_owned(), "Content-Length: 2\r\n", b"{}".to_vec(), 400),
        ("GET http://elsewhere.test/scim/v2/Users HTTP/1.1".to_owned(), "Host: h\r\n", Vec::new(), 200),
        (format!("GET /scim/v2/Users?x={long} HTTP/1.1"), "Host: h\r\n", Vec::new(), 200),
        (format!("GET /scim/v2/Users?filter={long} HTTP/1.1"), "Host: h\r\n", Vec::new(), 400),
        (format!("GET /scim/v2/Users/{long} HTTP/1.1"), "Host: h\r\n", Vec::new(), 404),
        ("GET /scim/v2/../../metrics HTTP/1.1".to_owned(), "Host: h\r\n", Vec::new(), 404),
        ("GET /scim/v2/Users/%00 HTTP/1.1".to_owned(), "Host: h\r\n", Vec::new(), 404),
        (
            "OPTIONS /scim/v2/Users HTTP/1.1".to_owned(),
            "Host: h\r\nOrigin: https://evil.test\r\nAccess-Control-Request-Method: POST\r\n",
            Vec::new(),
            405,
        ),
        ("TRACE /scim/v2/Users HTTP/1.1".to_owned(), "Host: h\r\n", Vec::new(), 405),
        ("BREW /scim/v2/Users HTTP/1.1".to_owned(), "Host: h\r\n", Vec::new(), 405),
        ("POST /scim/v2/Users/x HTTP/1.1".to_owned(), "Host: h\r\nX-HTTP-Method-Override: DELETE\r\n", Vec::new(), 405),
        ("POST /scim/v2/Users HTTP/1.1".to_owned(), "Host: h\r\nTransfer-Encoding: chunked\r\n", chunks, 413),
        (
            "POST /scim/v2/Users HTTP/1.1".to_owned(),
            "Host: h\r\nTransfer-Encoding: chunked\r\n",
            b"ZZ\r\n".to_vec(),
            400,
        ),
    ];
    let mut wrong = Vec::new();
    for (line, headers, body, status) in cases {
        let answer = exchange(&world.server, &request(&world, &line, headers, &body)).await?;
        let told = answer.json();
        let number = status.to_string();
        let fits = status < 400 || (told["schemas"][0] == ERROR && told["status"] == number.as_str());
        let opened = answer.head.contains("access-control-allow");
        if answer.status != status || !fits || opened || answer.body.len() > 3_000 {
            let line: String = line.chars().take(80).collect();
            wrong.push(format!("{line}: {} {}", answer.head, answer.body.len()));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

/// Outside of SCIM the answer is a problem, with a request id as ever.
#[tokio::test]
async fn a_request_without_a_host_is_a_problem_for_rest() -> anyhow::Result<()> {
    let world = World::with(&[]).await?;
    for path in ["/api/v1/targets", "/livez", "/console"] {
        let answer = exchange(&world.server, format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await?;
        let (told, head) = (answer.json(), &answer.head);
        assert_eq!((answer.status, &told["code"], &told["status"]), (400, &json!("bad_host"), &json!(400)), "{path}");
        assert!(head.contains("\r\ncontent-type: application/problem+json\r\n"), "{path}: {head}");
        assert!(head.contains("\r\nx-request-id: ") && head.contains("\r\nconnection: close"), "{path}: {head}");
    }
    Ok(())
}

#[tokio::test]
async fn request_ids() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    for (id, kept) in [
        ("good-id_1.2", true),
        ("short", false),
        ("<script>alert(1)</script>", false),
        ("a b c d e f g h", false),
        ("aaaaaaaa%0d%0aSet-Cookie: x", false),
        ("../../etc/passwd", false),
    ] {
        let headers = format!("Host: h\r\nX-Request-Id: {id}\r\n");
        let answer = exchange(&world.server, &request(&world, "GET /scim/v2/Users/x HTTP/1.1", &headers, b"")).await?;
        let echoed = answer.head.contains(&format!("\r\nx-request-id: {}\r\n", id.to_lowercase()));
        assert_eq!((echoed, answer.body.contains(id)), (kept, kept), "{id}: {answer:?}");
        assert!(answer.head.contains("\r\nx-request-id: ") && answer.status == 404, "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn ids_and_routes_that_do_not_exist() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let user = world.user(client, json!({})).await?;
    let change = crate::world::patch(&json!([{ "op": "add", "path": "externalId", "value": "x" }]));
    let other_spellings = [user.id.to_uppercase(), user.id.replace('-', ""), format!("%7B{}%7D", user.id)];
    let ids = ["00919288221112222", "%ff", "%C3%28", "%00", "%2F", "%2e%2e%2f", "'", "*", "%F0%9F%98%80"];
    let mut wrong = Vec::new();
    for id in ids.into_iter().map(str::to_owned).chain(other_spellings) {
        for (endpoint, body) in [("/Users", world.user_body(&json!({}))), ("/Groups", world.group_body(&json!({})))] {
            let path = format!("{endpoint}/{id}");
            for reply in [
                client.get(&path).await?,
                client.put(&path, &body).await?,
                client.patch(&path, &change).await?,
                client.delete(&path).await?,
            ] {
                wrong.extend(not_refused(&reply, 404, "").map(|why| format!("{path}: {why}")));
            }
        }
    }
    wrong.extend(not_refused(&client.get(&format!("/Groups/{}", user.id)).await?, 404, ""));
    for path in ["/Nope", "/Users/x/y", "/users", "/%ff", "/ServiceProviderConfigs"] {
        wrong.extend(not_refused(&client.get(path).await?, 404, "").map(|why| format!("{path}: {why}")));
    }
    for reply in [client.get("/Me").await?, client.delete("/Me").await?] {
        wrong.extend(not_refused(&reply, 501, "").map(|why| format!("/Me: {why}")));
    }
    none_wrong(&wrong);
    Ok(())
}
