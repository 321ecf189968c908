//! Nothing that a document says takes long, fills the memory or ends the process.

use crate::given::{compile, errors, person, value, with, with_rule};
use rollcall_provisioning::mapping::{MOST_CHARS, MOST_DEPTH, Person};
use serde_json::{Value, json};

fn remark(expression: &str) -> Vec<String> {
    errors(&with_rule("remark", &json!({ "value": expression })))
}

#[test]
fn expressions_have_a_size() {
    let many = 4_000;
    for (expression, expected) in [
        (format!("\"{}\"", "x".repeat(MOST_CHARS)), "The expression has 10002 characters; 10000 is the most."),
        (vec!["1"; many].join("+"), "operators, brackets and dots; 1000 is the most."),
        (format!("{}1{}", "(".repeat(many), ")".repeat(many)), "operators, brackets and dots; 1000 is the most."),
        (format!("{}1{}", "(".repeat(900), ")".repeat(900)), "The expression cannot be read: "),
        (vec!["\"a\""; 500].join("+"), "stand within each other more than 24 levels deep."),
        (format!("user{}", "[0]".repeat(900)), "stand within each other more than 24 levels deep."),
        (format!("user{}", ".x".repeat(900)), "stand within each other more than 24 levels deep."),
        (format!("{}1", "true ? 1 : ".repeat(90)), "stand within each other more than 24 levels deep."),
        (format!("{}1{}", "[".repeat(90), "]".repeat(90)), "stand within each other more than 24 levels deep."),
    ] {
        let found = remark(&expression);
        assert!(found.iter().any(|error| error.contains(expected)), "{}: {found:#?}", &expression[..20]);
    }
}

#[test]
fn the_deepest_expressions_are_evaluated_on_a_small_stack() {
    let levels = MOST_DEPTH - 1;
    for expression in [
        vec!["\"a\""; levels].join("+"),
        format!("{}\"a\"{}", "lower(".repeat(levels), ")".repeat(levels)),
        format!("{}\"a\"", "false ? \"\" : ".repeat(levels)),
        format!("\"a\"{}", ".trim()".repeat(levels)),
        format!("{}\"a\"{}", "(".repeat(30), ")".repeat(30)),
        "string(size([1].map(a, [a].map(b, [b].map(c, [c].map(d, [d].map(e, e)))))))".to_owned(),
    ] {
        let document = with_rule("remark", &json!({ "value": expression }));
        let mapping = compile(&document).unwrap_or_else(|errors| panic!("{expression}: {errors:?}"));
        let resource = person(&json!({}));
        let run = || mapping.person(&Person::alone("1", &resource)).findings.len();
        let found = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(1280 << 10).spawn_scoped(scope, run);
            thread.expect("a thread").join()
        });
        assert_eq!(found.expect("it survives"), 0, "{expression}");
    }
}

#[test]
fn evaluation_costs_no_more_than_its_budget() {
    let numbers = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    let loops = |depth: usize| {
        let open: Vec<String> = (0..depth).map(|n| format!("{numbers}.map(x{n}, ")).collect();
        let open = open.concat();
        format!("string(size({open}1{}))", ")".repeat(depth))
    };
    assert_eq!(value(&loops(2), &json!({})), Ok(Some(json!("10"))));
    let doubled: String =
        (0..30).fold("\"aaaaaaaaaaaaaaaaaaaa\"".to_owned(), |text, n| format!("[{text}].map(x{n}, x{n} + x{n})[0]"));
    let lists = "[user.emails].map(a, [a,a,a,a,a,a,a,a]).map(b, [b,b,b,b,b,b,b,b]).map(c, [c,c,c,c,c,c,c,c])\
                 .map(d, [d,d,d,d,d,d,d,d]).map(e, [e,e,e,e,e,e,e,e]).map(f, [f,f,f,f,f,f,f,f]).map(g, [g,g,g,g])";
    let emails: Vec<Value> = (0..500).map(|n| json!({"type": "other", "value": format!("{n}@example.com")})).collect();
    let many = json!({ "emails": emails });
    for expression in [
        loops(6),
        "string(size(user.emails.map(a, user.emails.map(b, user.emails.map(c, a.value)))))".to_owned(),
        format!("string(size({lists}))"),
    ] {
        let failed = value(&expression, &many).expect_err("it costs too much");
        assert!(failed.contains("the expression costs too much"), "{expression}: {failed}");
    }
    let small: String = doubled.chars().take(10_000).collect();
    let found = errors(&with_rule("remark", &json!({ "value": small })));
    assert!(!found.is_empty(), "30 loops within each other are too deep");
    for (expression, expected) in [
        ("replace(fit(user.nickName, 9000), \"a\", \"bbbbbbbbbb\")", "the text becomes longer than 10000 characters"),
        (
            "user.nickName + user.nickName + user.nickName + user.nickName + user.nickName + user.nickName",
            "longer than 10000 characters",
        ),
        ("join([user.nickName, user.nickName, user.nickName], user.nickName)", "longer than 10000 characters"),
    ] {
        let failed = value(expression, &json!({"nickName": "a".repeat(9_000)})).expect_err("it is too long");
        assert!(failed.contains(expected), "{expression}: {failed}");
    }
}

#[test]
fn documents_have_a_size() {
    let rules: Vec<Value> = (0..201).map(|n| json!({"name": n.to_string(), "when": "true", "include": true})).collect();
    let found = errors(&with(&json!({ "scope": rules })));
    let sentence =
        "the document: There are 208 rules; 200 is the most. Use tables with switch(…) instead of many rules.";
    assert_eq!(found, [sentence]);
    let large = with(&json!({"examples": [{"name": "x".repeat(300_000), "expect": {}}]}));
    let found = errors(&large);
    assert!(found[0].contains("262144 is the most"), "{found:?}");
    let found = errors(&with(&json!({"scope": [{"name": "x".repeat(201), "include": true}]})));
    assert_eq!(found, ["/scope/0/name: The name must have 1 to 200 characters. Choose a short one."]);
    let examples: Vec<Value> = (0..201).map(|n| json!({"name": n.to_string(), "expect": {}})).collect();
    let found = errors(&with(&json!({ "examples": examples })));
    assert_eq!(found, ["/examples: There are 201; 200 is the most. Use fewer."]);
}
