//! The read-only extension that tells how a person stands in DingTalk.
//!
//! Returned on request only: it costs nothing until someone asks, and no client puts it back.

use super::{Attribute, Kind, Returned, Schema};

/// URN of the DingTalk extension.
pub const URN: &str = "urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User";

/// The DingTalk extension.
pub fn schema() -> Schema {
    let attributes = [
        Attribute::string("userId", "Identifier of the account in DingTalk.").case_exact(),
        Attribute::string("state", "Standing of the projection of this person onto DingTalk.").case_exact(),
        Attribute::new("appliedVersion", Kind::Integer, "Version of the resource that DingTalk last accepted."),
        Attribute::new("lastAppliedAt", Kind::DateTime, "When DingTalk last accepted a change."),
        Attribute::string("reason", "Why the projection stands as it does, and what to do."),
    ];
    Schema::new(
        URN,
        "DingTalkUser",
        "How the person stands in DingTalk",
        attributes.into_iter().map(|attribute| attribute.read_only().returned(Returned::Request)).collect(),
    )
}
