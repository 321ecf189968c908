//! Sorted lists.

use reqwest::StatusCode;
use serde_json::json;

use crate::fixture::{Fixture, names};

#[tokio::test]
async fn lists_come_in_the_order_that_was_asked_for() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    for (name, title) in [("bob", Some("Zookeeper")), ("Ada", None), ("carl", Some("analyst"))] {
        let titled = json!({ "userName": name, "title": title });
        f.user(titled).await?;
    }
    f.group(json!({ "displayName": "Beta" })).await?;
    f.group(json!({ "displayName": "alpha" })).await?;

    let config = f.scim.get("/ServiceProviderConfig").await?;
    assert_eq!(config.body["sort"]["supported"], true);

    // path, total, names.
    let cases = [
        ("/Users?sortBy=userName", 3, vec!["Ada", "bob", "carl"]),
        ("/Users?sortBy=username&sortOrder=descending", 3, vec!["carl", "bob", "Ada"]),
        ("/Users?sortBy=title", 3, vec!["carl", "bob", "Ada"]),
        ("/Users?sortBy=title&sortOrder=descending", 3, vec!["Ada", "bob", "carl"]),
        ("/Users?sortBy=userName&startIndex=2&count=1", 3, vec!["bob"]),
        ("/Users?sortBy=userName&sortOrder=descending&filter=title%20pr", 2, vec!["carl", "bob"]),
        ("/Users?sortOrder=descending", 3, vec!["bob", "Ada", "carl"]),
        ("/Groups?sortBy=displayName", 2, vec!["alpha", "Beta"]),
        ("/?sortBy=userName&sortOrder=descending", 5, vec!["Beta", "alpha", "carl", "bob", "Ada"]),
        ("?sortBy=meta.resourceType&count=3", 5, vec!["Beta", "alpha", "bob"]),
    ];
    for (path, total, found) in cases {
        let reply = f.scim.get(path).await?;
        assert_eq!(names(&reply)?, (total, found.into_iter().map(str::to_owned).collect()), "{path}");
    }

    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "sortBy": "userName", "sortOrder": "descending", "count": 2,
    });
    let reply = f.scim.post("/Users/.search", &search).await?;
    assert_eq!(names(&reply)?, (3, vec!["carl".to_owned(), "bob".to_owned()]));
    Ok(())
}

#[tokio::test]
async fn an_order_that_is_none_is_refused() -> anyhow::Result<()> {
    let f = Fixture::new("generic").await?;
    for path in
        ["/Users?sortBy=name", "/Users?sortBy=members", "/Groups?sortBy=members", "/Users?sortBy=id&sortOrder=up"]
    {
        let reply = f.scim.get(path).await?;
        assert_eq!((reply.status, reply.text("/scimType")?), (StatusCode::BAD_REQUEST, "invalidValue"), "{path}");
    }
    Ok(())
}
