//! Paging by cursor (RFC 9865).

use anyhow::Context;
use reqwest::StatusCode;
use rollcall_tests::Reply;
use serde_json::{Value, json};

use crate::fixture::{Fixture, names};

/// Seven users, of whom three are titled and one is a leaver, and three groups.
async fn crowd(f: &Fixture) -> anyhow::Result<()> {
    for (name, title) in
        [("eve", "Clerk"), ("Bob", ""), ("ada", "clerk"), ("gil", ""), ("dan", "Boss"), ("fay", ""), ("carl", "")]
    {
        let title = if title.is_empty() { Value::Null } else { title.into() };
        f.user(json!({ "userName": name, "title": title, "active": name != "gil" })).await?;
    }
    for name in ["staff", "Board", "cleaners"] {
        f.group(json!({ "displayName": name })).await?;
    }
    Ok(())
}

/// The names in a page by cursor, with the total if it is told.
fn page(reply: &Reply) -> anyhow::Result<(Option<i64>, Vec<String>)> {
    let total = reply.body.get("totalResults").and_then(Value::as_i64);
    let mut counted = reply.body.clone();
    counted["totalResults"] = total.unwrap_or_default().into();
    assert_eq!(reply.body.get("startIndex"), None, "there is no position");
    Ok((total, names(&Reply { body: counted, ..reply.clone() })?.1))
}

fn cursor(reply: &Reply, name: &str) -> Option<String> {
    reply.body.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Appends parameters to a path.
fn with(path: &str, parameters: &str) -> String {
    format!("{path}{}{parameters}", if path.contains('?') { '&' } else { '?' })
}

#[tokio::test]
async fn every_list_can_be_read_forward_and_back() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    crowd(&f).await?;
    let config = f.scim.get("/ServiceProviderConfig").await?;
    assert_eq!(config.body["pagination"]["cursor"], true);
    assert_eq!(config.body["pagination"]["cursorTimeout"], 3600);
    let lists = [
        "/Users",
        "/Groups",
        "/",
        "/Users?filter=active%20eq%20true",
        "/Users?filter=title%20eq%20%22clerk%22",
        "/Users?filter=userName%20eq%20%22ada%22",
        "/Users?filter=userName%20eq%20%22nobody%22",
        "/Users?sortBy=userName",
        "/Users?sortBy=title",
        "/Users?sortBy=title&sortOrder=descending",
        "/Users?sortBy=active&sortOrder=descending&filter=title%20pr%20or%20active%20eq%20false",
        "/Users?sortBy=meta.created&sortOrder=descending",
        "/Groups?sortBy=displayName&sortOrder=descending&attributes=displayName",
        "/?sortBy=displayName",
        "/?sortBy=userName&sortOrder=descending",
        "/?sortBy=meta.created",
        "/?filter=meta.resourceType%20eq%20%22Group%22",
        "/?filter=id%20pr",
    ];
    for list in lists {
        let (total, expected) = names(&f.scim.get(list).await?)?;
        for count in [1, 2, 3, 7, 10, 11] {
            let mut reply = f.scim.get(&with(list, &format!("cursor&count={count}"))).await?;
            let (told, mut found) = page(&reply)?;
            let mut pages = vec![found.clone()];
            assert_eq!(cursor(&reply, "previousCursor"), None, "{list} {count}");
            while let Some(next) = cursor(&reply, "nextCursor") {
                assert_eq!(page(&reply)?.0, told, "{list} {count}: every page tells the same total");
                assert_eq!(pages.last().map(Vec::len), Some(count), "only the last page may be short: {list}");
                reply = f.scim.get(&with(list, &format!("count={count}&cursor={next}"))).await?;
                let (_, names) = page(&reply)?;
                assert!(!names.is_empty(), "{list} {count}: a cursor leads somewhere");
                found.extend(names.clone());
                pages.push(names);
            }
            assert_eq!(found, expected, "{list} {count}");
            assert!(told.is_none_or(|told| told == total), "{list} {count}: {told:?} of {total}");
            assert!(told.is_some() || list.contains("title"), "{list} {count}: the database can count alone");
            // And back again: the same pages.
            for names in pages.iter().rev().skip(1) {
                let back = cursor(&reply, "previousCursor").with_context(|| format!("{list} {count}: no way back"))?;
                reply = f.scim.get(&with(list, &format!("cursor={back}"))).await?;
                assert_eq!(&page(&reply)?.1, names, "{list} {count}");
                assert!(cursor(&reply, "nextCursor").is_some(), "{list} {count}: one came from there");
            }
            assert_eq!(cursor(&reply, "previousCursor"), None, "{list} {count}: the first page again");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_search_can_be_read_by_cursor() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    crowd(&f).await?;
    let mut search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "title pr", "sortBy": "userName", "count": 2, "cursor": "",
    });
    let reply = f.scim.post("/Users/.search", &search).await?;
    assert_eq!(page(&reply)?.1, ["ada", "dan"]);
    search["cursor"] = cursor(&reply, "nextCursor").context("no next page")?.into();
    let reply = f.scim.post("/Users/.search", &search).await?;
    assert_eq!((page(&reply)?.1, cursor(&reply, "nextCursor")), (vec!["eve".to_owned()], None));
    Ok(())
}

/// Who comes, goes or is renamed between two pages moves nobody else.
#[tokio::test]
async fn changes_between_pages_hide_and_repeat_nobody() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    for name in ["b", "d", "f", "h", "j"] {
        f.user(json!({ "userName": name })).await?;
    }
    for list in ["/Users", "/Users?sortBy=userName"] {
        let reply = f.scim.get(&with(list, "cursor=&count=2")).await?;
        assert_eq!(page(&reply)?.1, ["b", "d"], "{list}");
        let next = cursor(&reply, "nextCursor").context("no next page")?;
        let gone = reply.body["Resources"][1]["id"].as_str().context("no id")?.to_owned();
        f.scim.delete(&format!("/Users/{gone}")).await?;
        f.user(json!({ "userName": "a" })).await?;
        let reply = f.scim.get(&with(list, &format!("cursor={next}"))).await?;
        assert_eq!(page(&reply)?.1, ["f", "h"], "{list}");
        let next = cursor(&reply, "nextCursor").context("no next page")?;
        let reply = f.scim.get(&with(list, &format!("cursor={next}"))).await?;
        assert_eq!(page(&reply)?.1.first().map(String::as_str), Some("j"), "{list}");
        // For the next list.
        let everybody = f.scim.get("/Users").await?;
        for user in everybody.body["Resources"].as_array().context("no Resources")? {
            f.scim.delete(&format!("/Users/{}", user["id"].as_str().unwrap_or_default())).await?;
        }
        for name in ["b", "d", "f", "h", "j"] {
            f.user(json!({ "userName": name })).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_page_is_refused_by_name() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    crowd(&f).await?;
    let first = f.scim.get("/Users?cursor&count=2").await?;
    let next = cursor(&first, "nextCursor").context("no next page")?;
    // path, scimType.
    let cases = [
        ("/Users?cursor=x".to_owned(), "invalidCursor"),
        ("/Users?cursor=%FF".to_owned(), "invalidCursor"),
        (format!("/Groups?cursor={next}"), "invalidCursor"),
        (format!("/?cursor={next}"), "invalidCursor"),
        (format!("/Users?cursor={next}&filter=userName%20pr"), "invalidCursor"),
        (format!("/Users?cursor={next}&sortBy=userName"), "invalidCursor"),
        (format!("/Users?cursor={next}&attributes=userName"), "invalidCursor"),
        (format!("/Users?cursor={next}&cursor={next}"), "invalidCursor"),
        (format!("/Users?cursor={next}&count=3"), "invalidCount"),
        ("/Users?cursor&count=1001".to_owned(), "invalidCount"),
        ("/Users?cursor&count=many".to_owned(), "invalidCount"),
        (format!("/Users?cursor={next}&startIndex=1"), "invalidValue"),
        ("/Users?cursor&startIndex=1".to_owned(), "invalidValue"),
    ];
    for (path, expected) in cases {
        let reply = f.scim.get(&path).await?;
        assert_eq!((reply.status, reply.text("/scimType")?), (StatusCode::BAD_REQUEST, expected), "{path}");
    }
    let none = f.scim.get("/Users?cursor&count=0").await?;
    assert_eq!((page(&none)?, cursor(&none, "nextCursor")), ((Some(7), vec![]), None));
    Ok(())
}
