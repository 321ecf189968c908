//! `.search`, and the query at the base URL.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::fixture::{Fixture, names};

fn search(mut members: Value) -> Value {
    members["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
    members
}

#[tokio::test]
async fn a_search_finds_what_a_query_finds() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    let ada = f.user(json!({ "userName": "ada", "title": "Countess" })).await?;
    f.user(json!({ "userName": "bob" })).await?;
    f.group(json!({ "displayName": "Staff", "members": [{ "value": ada }] })).await?;

    // endpoint, search, total, names.
    let cases = [
        ("/Users/.search", json!({}), 2, vec!["ada", "bob"]),
        ("/Users/.search", json!({ "filter": "title eq \"countess\"" }), 1, vec!["ada"]),
        ("/Users/.search/", json!({ "startIndex": 2, "count": 1 }), 2, vec!["bob"]),
        ("/Groups/.search", json!({ "filter": format!("members eq \"{ada}\"") }), 1, vec!["Staff"]),
        ("/.search", json!({}), 3, vec!["ada", "bob", "Staff"]),
        ("/.search", json!({ "startIndex": 2, "count": 2 }), 3, vec!["bob", "Staff"]),
        ("/.search", json!({ "startIndex": 3, "count": 5 }), 3, vec!["Staff"]),
        ("/.search", json!({ "startIndex": 9 }), 3, vec![]),
        ("/.search", json!({ "count": 0 }), 3, vec![]),
        ("/.search", json!({ "filter": "meta.resourceType eq \"Group\"" }), 1, vec!["Staff"]),
        ("/.search", json!({ "filter": "userName eq \"ada\" or displayName eq \"staff\"" }), 2, vec!["ada", "Staff"]),
        ("/.search", json!({ "filter": "title ne \"x\"" }), 3, vec!["ada", "bob", "Staff"]),
        ("/.search", json!({ "filter": "members pr" }), 1, vec!["Staff"]),
    ];
    for (endpoint, body, total, found) in cases {
        let reply = f.scim.post(endpoint, &search(body.clone())).await?;
        assert_eq!(names(&reply)?, (total, found.into_iter().map(str::to_owned).collect()), "{endpoint} {body}");
    }

    let only = f.scim.post("/.search", &search(json!({ "attributes": ["displayName"] }))).await?;
    assert_eq!(only.body["Resources"][2]["displayName"], "Staff");
    assert_eq!(only.body["Resources"][2].get("members"), None);
    assert_eq!(only.body["Resources"][0].get("userName"), None);
    assert_eq!(only.body["Resources"][0]["id"], ada.as_str());
    Ok(())
}

#[tokio::test]
async fn the_base_url_lists_everything() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    f.user(json!({ "userName": "ada", "externalId": "7" })).await?;
    f.group(json!({ "displayName": "Staff", "externalId": "7" })).await?;
    for path in ["", "/"] {
        let reply = f.scim.get(path).await?;
        assert_eq!(names(&reply)?, (2, vec!["ada".to_owned(), "Staff".to_owned()]), "{path:?}");
        let reply = f.scim.find(path, "externalId eq \"7\" and meta.resourceType eq \"Group\"").await?;
        assert_eq!(names(&reply)?, (1, vec!["Staff".to_owned()]), "{path:?}");
        let reply = f.scim.find(path, "userName eq \"ADA\"").await?;
        assert_eq!(names(&reply)?, (1, vec!["ada".to_owned()]), "{path:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_search_that_cannot_be_used_says_why() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    let cases = [
        ("/Users/.search", json!({ "filter": "id pr" }), "invalidSyntax"),
        ("/Users/.search", search(json!({ "filter": "members pr" })), "invalidFilter"),
        ("/.search", search(json!({ "filter": "nobody pr" })), "invalidFilter"),
        ("/.search", search(json!({ "count": "many" })), "invalidValue"),
        ("/.search", search(json!({ "attributes": ["id"], "excludedAttributes": ["meta"] })), "invalidValue"),
    ];
    for (endpoint, body, scim_type) in cases {
        let reply = f.scim.post(endpoint, &body).await?;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{endpoint} {body}");
        assert_eq!(reply.text("/scimType")?, scim_type, "{endpoint} {body}");
    }
    assert_eq!(f.scim.get("/.search").await?.status, StatusCode::METHOD_NOT_ALLOWED);
    Ok(())
}
