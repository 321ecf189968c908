//! The schemas of the discovery documents themselves (RFC 7643 §8.7.2).

use super::Schema;

/// URN of the schema of the service provider configuration.
pub const CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// The schemas of `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`.
pub fn schemas() -> Vec<Schema> {
    Vec::new()
}
