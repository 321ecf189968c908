//! SCIM 2.0 as pure code: schemas as data, resources, paths, filters, PATCH, projection, discovery, errors.
//!
//! Nothing here does IO, reads a clock or makes an id. Everything that knows an attribute by name lives in the
//! data of [`schema`]; parsing, filtering, patching and rendering read that data, so a tenant's own extension
//! schema behaves like a built-in one.
//!
//! The way of a request through the crate:
//!
//! * POST: [`resource::parse`] → a [`resource::Resource`] (canonical, checked) → stored → [`render::render`].
//! * PUT: [`resource::replace`] with what is stored.
//! * PATCH: [`patch::PatchRequest::parse`] → [`patch::apply`] → a changed resource and the changes to attributes
//!   kept apart (group members).
//! * GET: [`filter::Filter::parse`], [`sort::Sort::parse`], [`list::Page::parse`], [`projection::Projection::parse`],
//!   then [`render::render`] and [`list::list_response`].
//! * Bulk: [`bulk::BulkRequest::parse`], then each operation as if it had come alone, in the order of its plan.
//!
//! Rules come from RFC 7643 (schema) and RFC 7644 (protocol); what real clients do differently is a switch of
//! [`profile::Profile`].

pub mod bulk;
pub mod discovery;
pub mod error;
pub mod filter;
pub mod fold;
pub mod limits;
pub mod list;
pub mod patch;
pub mod path;
pub mod profile;
pub mod projection;
pub mod render;
pub mod resource;
pub mod schema;
pub mod search;
pub mod sort;
mod value;
pub mod version;

pub use error::{Error, ScimType};
