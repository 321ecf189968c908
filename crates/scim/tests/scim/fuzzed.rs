//! The fuzz targets as ordinary tests: on every input that was kept, and on random ones that look like requests.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::oracles::{bulk, filter, patch, path};
use crate::properties::{operation, scim_text};

/// Tries what is kept under `fuzz/inputs` for a target.
fn replay(target: &str, check: fn(&str)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/inputs").join(target);
    let inputs: Vec<_> = fs::read_dir(&folder).expect("inputs").map(|entry| entry.expect("an input").path()).collect();
    assert!(!inputs.is_empty(), "nothing is kept for {target}");
    for input in inputs {
        check(&fs::read_to_string(&input).expect("a text"));
    }
}

#[test]
fn kept_inputs_hold() {
    replay("filter", filter::check);
    replay("path", path::check);
    replay("patch", patch::check);
    replay("bulk", bulk::check);
}

/// Operations that refer to each other at random, in circles too, and to nobody. Each is called by its place.
fn bulk_operations() -> impl Strategy<Value = Vec<Value>> {
    let reference =
        || prop::sample::select(vec!["bulkId:0", "bulkId:1", "bulkId:2", "bulkId:3", "bulkId:x", "bulkId:", "m"]);
    let method = prop::sample::select(vec!["POST", "POST", "POST", "post", "PUT", "PATCH", "DELETE", "GET"]);
    let endpoint = prop::sample::select(vec!["/Users", "Groups", "/groups/", "/Groups", "/Devices"]);
    let members = prop::collection::vec(reference(), 0..3);
    let operation = (method, endpoint, reference(), any::<bool>(), members);
    prop::collection::vec(operation, 0..6).prop_map(|operations| {
        let one = |(place, (method, endpoint, id, named, members)): (usize, (&str, &str, &str, bool, Vec<&str>))| {
            let posts = method.eq_ignore_ascii_case("post");
            let path = if posts { endpoint.to_owned() } else { format!("{}/{id}", endpoint.trim_end_matches('/')) };
            let manager = members.first().map(|member| json!({ "value": member }));
            let members: Vec<Value> = members.into_iter().map(|member| json!({ "value": member })).collect();
            let name = (posts || named).then(|| place.to_string());
            json!({ "method": method, "path": path, "bulkId": name, "data": { "displayName": id, "manager": manager, "members": members } })
        };
        operations.into_iter().enumerate().map(one).collect()
    })
}

/// The same inputs every time; new ones are what `fuzz/run` is for.
fn repeatable() -> ProptestConfig {
    ProptestConfig { rng_seed: RngSeed::Fixed(7644), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(repeatable())]

    #[test]
    fn filters_hold(text in scim_text()) {
        filter::check(&text);
    }

    #[test]
    fn paths_hold(text in scim_text()) {
        path::check(&text);
    }

    #[test]
    fn patches_hold(operations in prop::collection::vec(operation(), 1..5)) {
        patch::check_operations(&operations);
    }

    #[test]
    fn bulk_requests_hold(operations in bulk_operations()) {
        let schema = rollcall_scim::bulk::REQUEST_SCHEMA;
        bulk::check_body(&json!({ "schemas": [schema], "Operations": operations }));
    }
}
