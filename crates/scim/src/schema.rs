//! Schemas as data (RFC 7643 §2, §7).
//!
//! An [`Attribute`] says everything the rest of the crate needs to know about a name: its type, who may write
//! it, when it is returned, how it is compared, and where its value is kept. The built-in schemas are tables in
//! the files below this one; a tenant's own extension is the same data read from somewhere else.

mod attribute;
mod base;
pub mod builtin;
mod define;
pub mod dingtalk;
pub mod enterprise;
pub mod group;
mod json;
pub mod meta;
mod resource_type;
pub mod user;

pub use attribute::{Attribute, Kind, Mutability, Returned, Storage, Uniqueness, Wrapping};
pub use base::base_attributes;
pub use define::{MAX_ATTRIBUTES, MAX_CANONICAL_VALUES, MAX_DESCRIPTION_BYTES, MAX_NAME_BYTES};
pub use resource_type::{Extension, ResourceType, Schema};

/// Sub-attribute names that RFC 7643 §2.4 gives a meaning for every multi-valued attribute.
pub mod sub {
    /// The significant value of an element.
    pub const VALUE: &str = "value";
    /// The label of an element, such as "work".
    pub const TYPE: &str = "type";
    /// Marks the preferred element; true at most once.
    pub const PRIMARY: &str = "primary";
    /// The URI of the resource that `value` names.
    pub const REF: &str = "$ref";
}
