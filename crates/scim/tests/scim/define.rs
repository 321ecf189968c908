//! Schemas that a tenant defines for itself.

use rollcall_scim::filter::Filter;
use rollcall_scim::profile::Profile;
use rollcall_scim::resource::parse;
use rollcall_scim::schema::{Extension, MAX_ATTRIBUTES, Schema, builtin};
use serde_json::{Value, json};

const URN: &str = "urn:example:hr:2.0:User";

fn document(attributes: &Value) -> Value {
    json!({ "id": URN, "name": "HR", "description": "What the HR system knows", "attributes": attributes })
}

fn full() -> Value {
    document(&json!([
        { "name": "costBearer", "type": "string", "multiValued": false, "description": "Who pays", "required": false,
          "caseExact": true, "mutability": "readWrite", "returned": "default", "uniqueness": "none",
          "canonicalValues": ["A", "B"] },
        { "name": "badges", "type": "complex", "multiValued": true, "description": "", "subAttributes": [
            { "name": "value", "type": "integer" }, { "name": "type" }, { "name": "primary", "type": "boolean" },
            { "name": "$ref", "type": "reference", "referenceTypes": ["external"] } ] },
        { "name": "hiredOn", "type": "dateTime", "mutability": "immutable", "returned": "request" },
    ]))
}

#[test]
fn what_is_shown_can_be_read_again() {
    let schema = Schema::define(&full()).expect("a schema");
    let shown = schema.to_json("https://rollcall.example/scim/v2");
    assert_eq!(Schema::define(&shown).expect("what was shown"), schema);
    assert_eq!(shown["attributes"][0]["canonicalValues"], json!(["A", "B"]));
    assert_eq!(shown["attributes"][1]["subAttributes"][3]["caseExact"], json!(true), "references are case-exact");
    assert_eq!(shown["attributes"][2]["returned"], json!("request"));
}

#[test]
fn a_tenants_schema_works_like_any_other() {
    let schema = Schema::define(&full()).expect("a schema");
    let rt = builtin::user_type().with_extension(Extension::optional(schema));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada",
        URN: { "COSTBEARER": "A", "badges": [{ "value": 7, "type": "door" }] },
    });
    let user = parse(&rt, &body, &Profile::strict()).expect("a user");
    assert_eq!(user.extension(URN).and_then(|hr| hr.get("costBearer")), Some(&json!("A")));
    let whole = json!({ "userName": "ada", URN: { "costBearer": "A", "badges": [{ "value": 7, "type": "door" }] } });
    for (text, expected) in [
        (format!("{URN}:costBearer eq \"A\""), true),
        (format!("{URN}:costBearer eq \"a\""), false),
        (format!("{URN}:badges[type eq \"DOOR\" and value gt 6]"), true),
        (format!("{URN}:badges.value gt 7"), false),
    ] {
        let filter = Filter::parse(&text, &rt, &Profile::strict()).expect(&text);
        assert_eq!(filter.matches(&rt, &whole), expected, "{text}");
    }
    let wrong = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", URN: { "costBearer": 7 },
    });
    assert!(parse(&rt, &wrong, &Profile::strict()).is_err());
}

#[test]
fn what_would_not_be_true_is_refused() {
    let one = |attribute: Value| document(&json!([attribute]));
    let named = |urn: &str| {
        let mut body = full();
        body["id"] = urn.into();
        body
    };
    let many: Vec<Value> = (0..=MAX_ATTRIBUTES).map(|number| json!({ "name": format!("a{number}") })).collect();
    let cases = [
        (json!([]), "must be a JSON object"),
        (json!({ "id": URN, "name": "HR" }), "at least one attribute"),
        (json!({ "id": URN, "attributes": [{ "name": "a" }] }), "\"name\""),
        (json!({ "name": "HR", "attributes": [{ "name": "a" }] }), "\"id\""),
        (named(&format!(" {URN}")), "\"id\" of the schema must not begin or end with blanks"),
        (one(json!({ "name": "a " })), "must not begin or end with blanks"),
        (one(json!({ "name": "a", "type": " string" })), "must not begin or end with blanks"),
        (named("hr"), "must look like urn:example"),
        (named("urn:x:hr"), "must look like urn:example"),
        (named("urn:example:"), "must look like urn:example"),
        (named("urn:example:hr:"), "must look like urn:example"),
        (named("urn:example:h r"), "must look like urn:example"),
        (named("urn:ietf:params:scim:schemas:core:2.0:User"), "belongs to a standard"),
        (named("URN:IETF:params:scim:api:messages:2.0:Error"), "belongs to a standard"),
        (named("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"), "belongs to a standard"),
        (named("urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User"), "belongs to a standard"),
        (one(json!({ "type": "string" })), "\"name\""),
        (one(json!({ "name": "1a" })), "must begin with a letter"),
        (one(json!({ "name": "a.b" })), "must begin with a letter"),
        (one(json!({ "name": "$ref" })), "must begin with a letter"),
        (one(json!({ "name": "schemas" })), "a meaning of its own"),
        (document(&json!([{ "name": "a" }, { "name": "A" }])), "twice"),
        (document(&many.into()), "more than 200 attributes"),
        (one(json!({ "name": "a", "type": "text" })), "can only be string, boolean"),
        (one(json!({ "name": "a", "type": "complex" })), "only then"),
        (one(json!({ "name": "a", "subAttributes": [{ "name": "b" }] })), "only then"),
        (
            one(json!({ "name": "a", "type": "complex", "subAttributes": [
                { "name": "b", "type": "complex", "subAttributes": [{ "name": "c" }] }] })),
            "can only be string, boolean",
        ),
        (
            one(json!({ "name": "a", "type": "complex", "subAttributes": [{ "name": "b", "multiValued": true }] })),
            "must be false inside",
        ),
        (one(json!({ "name": "a", "mutability": "readOnly" })), "can only be readWrite, immutable"),
        (one(json!({ "name": "a", "mutability": "writeOnly" })), "can only be readWrite, immutable"),
        (one(json!({ "name": "a", "returned": "never" })), "can only be default, always, request"),
        (one(json!({ "name": "a", "uniqueness": "server" })), "can only be none"),
        (one(json!({ "name": "a", "required": "yes" })), "must be true or false"),
        (one(json!({ "name": "a", "canonicalValues": "x" })), "must be an array"),
        (one(json!({ "name": "a", "description": "x".repeat(2_001) })), "must not be longer"),
        (one(json!({ "name": "a", "description": "x\u{0}" })), "control characters"),
        (one(json!({ "name": "a", "multivalue": true })), "is not one of"),
        (one(json!({ "name": "a", "type": "string", "Type": "boolean" })), "twice"),
    ];
    for (body, part) in cases {
        let error = Schema::define(&body).expect_err(&body.to_string());
        assert!(error.detail.contains(part), "{body}: {}", error.detail);
    }
    // Administrators of Entra are told to choose such names.
    Schema::define(&named("urn:ietf:params:scim:schemas:extension:HR:2.0:User")).expect("free to take");
}

#[test]
fn values_that_exist_keep_their_type() {
    let old = Schema::define(&full()).expect("a schema");
    let next = |change: fn(&mut Value)| {
        let mut body = full();
        change(&mut body);
        Schema::define(&body).expect("a schema")
    };
    let harmless = next(|body| {
        body["attributes"][0]["required"] = true.into();
        body["attributes"][2]["name"] = "firstDay".into();
    });
    assert_eq!(old.obstacle(&harmless), None);
    let integer = next(|body| {
        body["attributes"][0]["type"] = "integer".into();
    });
    assert!(old.obstacle(&integer).is_some_and(|why| why.contains("\"costBearer\"") && why.contains("type integer")));
    let many = next(|body| body["attributes"][0]["multiValued"] = true.into());
    assert!(old.obstacle(&many).is_some_and(|why| why.contains("many values")));
    let inside = next(|body| body["attributes"][1]["subAttributes"][0]["type"] = "string".into());
    assert!(old.obstacle(&inside).is_some_and(|why| why.contains("\"badges.value\"")));
}
