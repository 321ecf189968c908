//! Where attributes come from as long as a tenant's document says nothing else, for those who have no mapping at hand.

use crate::entity;

/// The SCIM path that an account attribute comes from by the default document, for people who read a finding.
pub fn source_path(attribute: &str) -> Option<&'static str> {
    Some(match attribute {
        entity::NAME => "displayName",
        entity::MOBILE => "phoneNumbers[type eq \"mobile\"].value",
        entity::EMAIL => "emails[type eq \"work\"].value",
        entity::TELEPHONE => "phoneNumbers[type eq \"work\"].value",
        entity::TITLE => "title",
        entity::JOB_NUMBER => "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        entity::MANAGER => "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        entity::ORG_UNITS => "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        _ => return None,
    })
}
