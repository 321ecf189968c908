//! Addresses, tokens, media types and queries that nobody should send.

use reqwest::Method;
use serde_json::json;

use super::{Authorization, Case};
use crate::drivers::{GROUP, PATCH_OP};
use crate::endpoint::percent_encoded;
use crate::staff::somebody;

/// Ids and routes that do not exist.
pub(super) fn of_unknown_things() -> Vec<Case> {
    let change = json!({
        "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "path": "externalId", "value": "x" }],
    });
    let team = json!({ "schemas": [GROUP], "displayName": "New" });
    let long = "a".repeat(3_000);
    let ids = [
        ("00919288221112222", "00919288221112222"),
        ("010101001010101011001010101011", "010101001010101011001010101011"),
        ("0196f3a0-0000-7000-8000-000000000000", "0196f3a0-0000-7000-8000-000000000000"),
        ("0196F3A0000070008000000000000000", "0196F3A0000070008000000000000000"),
        ("nobody", "nobody"),
        ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", ""),
        ("%27%20OR%201%3D1%20--", "' OR 1=1 --"),
        ("%00", ""),
        ("%E5%B7%A5%E5%8F%B7", "工号"),
        (&long, ""),
    ];
    let mut cases = Vec::new();
    for (id, names) in ids {
        for folder in ["/Users", "/Groups"] {
            let path = format!("{folder}/{id}");
            let requests = [
                (Method::GET, String::new()),
                (Method::PATCH, change.to_string()),
                (Method::PUT, if folder == "/Users" { somebody(9) } else { team.clone() }.to_string()),
                (Method::DELETE, String::new()),
            ];
            cases.extend(requests.map(|(method, body)| Case::new(method, &path, body, 404).because("", names)));
        }
    }
    cases.extend([
        Case::new(Method::GET, "/Users/%FF%FE", "", 404).because("", "%FF%FE"),
        Case::new(Method::GET, "/Nothing", "", 404).because("", "/Nothing"),
        Case::new(Method::GET, "/Users/{user}/groups", "", 404).because("", "/groups"),
        Case::new(Method::GET, "/users", "", 404).because("", "/users"),
        Case::new(Method::GET, "/Schemas/urn:none", "", 404).because("", "urn:none"),
        Case::new(Method::GET, "/ResourceTypes/Device", "", 404).because("", "Device"),
        Case::new(Method::POST, "/Users/{user}", somebody(9).to_string(), 405).because("", "POST"),
        Case::new(Method::DELETE, "/Users", "", 405).because("", "DELETE"),
        Case::new(Method::PUT, "/Groups", "{}", 405).because("", "PUT"),
        Case::new(Method::POST, "/Schemas", "{}", 405).because("", "POST"),
    ]);
    cases
}

/// Tokens and media types.
pub(super) fn of_strangers() -> Vec<Case> {
    let asks = |authorization, status| {
        let get = Case { authorization, ..Case::new(Method::GET, "/Users/{user}", "", status) };
        let post = Case { authorization, ..Case::new(Method::POST, "/Users", somebody(9).to_string(), status) };
        let delete = Case { authorization, ..Case::new(Method::DELETE, "/Users/{user}", "", status) };
        [get, post, delete]
    };
    let mut cases = Vec::new();
    for text in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer garbage",
        "Bearer rc_",
        "Basic dXNlcjpwYXNz",
        "non-token",
        "Bearer rc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        cases.extend(asks(Authorization::Text(text), 401).map(|case| case.because("", "token")));
    }
    cases.extend(asks(Authorization::Missing, 401).map(|case| case.because("", "token")));
    cases.extend(asks(Authorization::Forged, 401).map(|case| case.because("", "token")));
    cases.extend(asks(Authorization::Rest, 403).map(|case| case.because("", "token")));
    for content_type in
        ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
    {
        let refused = Case::new(Method::POST, "/Users", somebody(9).to_string(), 415).because("", content_type);
        cases.push(Case { content_type: Some(content_type), ..refused });
    }
    cases
}

/// Filters and other parameters.
pub(super) fn with_bad_queries() -> Vec<Case> {
    let filter = |text: &str, names| {
        let path = format!("/Users?filter={}", percent_encoded(text));
        Case::new(Method::GET, path, "", 400).because("invalidFilter", names)
    };
    let query = |query: &str, scim_type, names| {
        Case::new(Method::GET, format!("/Users?{query}"), "", 400).because(scim_type, names)
    };
    let deep = format!("{}userName pr{}", "(".repeat(50), ")".repeat(50));
    let mut cases = vec![
        filter("userName eq", "filter"),
        filter("userName", "filter"),
        filter("userName zz \"x\"", "zz"),
        filter("userName eq \"x", "filter"),
        filter("userName eq \"x\" and", "filter"),
        filter("(userName pr", "filter"),
        filter("(((", "filter"),
        filter(")", "filter"),
        filter("colour eq \"red\"", "colour"),
        filter("active gt true", "active"),
        filter("emails[type eq \"work\"", "filter"),
        filter("not userName pr", "filter"),
        filter(&deep, "deep"),
        filter(&format!("userName eq \"{}\"", "x".repeat(9_000)), "8192"),
        filter("userName eq \"x\"; DROP TABLE users", "filter"),
        query("filter=userName%20eq%20%22%00%22", "invalidFilter", "filter"),
        query("filter=%zz", "invalidFilter", "filter"),
        query("filter=%FF", "invalidFilter", "filter"),
        query("filter=userName%20pr&filter=id%20pr", "invalidFilter", "filter"),
        query("startIndex=abc", "invalidValue", "startIndex"),
        query("count=many", "invalidValue", "count"),
        query("attributes=id&excludedAttributes=name", "invalidValue", "attributes"),
    ];
    cases.push(
        Case::new(Method::GET, "/Groups?filter=colour%20eq%20%22x%22", "", 400).because("invalidFilter", "colour"),
    );
    cases.push(Case::new(Method::GET, "/Schemas?filter=id%20pr", "", 403).because("", "filter"));
    cases
}
