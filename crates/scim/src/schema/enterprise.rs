//! The enterprise extension of User (RFC 7643 §4.3, erratum 8472).

use super::{Attribute, Schema, sub};

/// URN of the enterprise extension.
pub const URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The enterprise extension.
pub fn schema() -> Schema {
    let manager = vec![
        Attribute::string(sub::VALUE, "Identifier of the manager's User resource.").case_exact(),
        Attribute::reference(sub::REF, "URL of the manager's User resource.", &["User"]),
        Attribute::string("displayName", "Display name of the manager.").read_only(),
    ];
    Schema::new(
        URN,
        "EnterpriseUser",
        "What an employer knows about a person",
        vec![
            Attribute::string("employeeNumber", "Number by which the employer knows the person."),
            Attribute::string("costCenter", "Cost centre that pays for the person."),
            Attribute::string("organization", "Organisation the person works for."),
            Attribute::string("division", "Division the person works in."),
            Attribute::string("department", "Department the person works in."),
            Attribute::complex("manager", "Whom the person reports to.", manager),
        ],
    )
}
