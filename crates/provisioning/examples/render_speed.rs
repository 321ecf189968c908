//! How fast the default document maps people: `cargo run --release -p rollcall-provisioning --example render_speed`.

use rollcall_provisioning::connector::{AttributeSpec, TargetSchema};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::mapping::{Mapping, Person};
use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::time::Instant;

/// What DingTalk has, without its limits, which cost nothing.
struct Target(Vec<AttributeSpec>);

impl TargetSchema for Target {
    fn attributes(&self, _: EntityKind) -> &[AttributeSpec] {
        &self.0
    }
}

fn person(number: u32) -> Map<String, Value> {
    let person = json!({
        "userName": format!("sample.person{number}@example.com"),
        "displayName": format!("Sample Person {number}"),
        "name": { "givenName": "Sample", "familyName": format!("Person {number}") },
        "title": "Sample Engineer",
        "active": true,
        "userType": "Employee",
        "emails": [{ "type": "work", "value": format!("sample.person{number}@example.com"), "primary": true }],
        "phoneNumbers": [
            { "type": "work", "value": format!("{number}") },
            { "type": "mobile", "value": format!("+852 5000 {:04}", number % 10_000) },
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": format!("{number}"),
            "organization": "Sample Company",
            "division": "Sample Division",
            "department": format!("Sample Department {}", number % 50),
            "manager": { "value": "26118915-6090-4610-87e4-49d8ca9f808d" },
        },
    });
    person.as_object().cloned().unwrap_or_default()
}

fn main() {
    const PEOPLE: u32 = 20_000;
    let names = ["name", "mobile", "email", "telephone", "title", "job_number", "manager"];
    let target = Target(
        names
            .map(|name| AttributeSpec { name, required: matches!(name, "name" | "mobile"), ..AttributeSpec::OPTIONAL })
            .into(),
    );
    let begun = Instant::now();
    let mapping = match Mapping::standard(&target) {
        Ok(mapping) => mapping,
        Err(errors) => {
            eprintln!("the default document does not fit: {errors:?}");
            return;
        }
    };
    println!("compiled in {:?}", begun.elapsed());
    let people: Vec<Map<String, Value>> = (0..PEOPLE).map(person).collect();
    let id = "2819c223-7f76-453a-919d-413861904646";
    // The first round fills the tables that telephone numbers are parsed with.
    for round in 0..4 {
        let begun = Instant::now();
        let findings: usize =
            people.iter().map(|person| black_box(mapping.person(&Person::alone(id, person))).findings.len()).sum();
        println!("round {round}: {:?} per person, {findings} findings", begun.elapsed() / PEOPLE);
    }
}
