//! The thinking behind the REST answers: plain functions over the store that return what is written as JSON. The
//! console and the command line call the same functions, so that all three say the same.

pub mod adoption;
pub mod attempts;
pub mod changes;
pub mod credentials;
pub mod deliveries;
pub mod explain;
pub mod first_password;
pub(crate) mod given;
pub mod groups;
pub mod guards;
pub mod learning;
pub mod leavers;
pub mod mapping;
pub mod oauth_clients;
pub mod overrides;
pub mod overview;
pub mod owners;
pub mod page;
pub mod person;
pub mod plans;
pub mod proposal;
pub mod retry;
pub mod roster;
pub mod schemas;
pub mod sign_in;
pub mod source_access;
pub mod sources;
pub mod standings;
pub mod stops;
pub mod target_settings;
pub mod targets;
pub mod timeline;
pub mod trusts;
pub mod who;
