//! HTTP in: SCIM routes, REST routes, authentication, OpenAPI.
//!
//! A request passes [`edge`] (id, span, time limit, errors in the right dialect), is authenticated by [`auth`], and
//! reaches a handler of [`scim`] or [`rest`]. Handlers are thin: rules of SCIM are in `rollcall_scim`, what is kept
//! is in `rollcall_store`, and what the REST answers say is in [`services`], which the console and the command line
//! use too. Nothing here can reach a target.

pub mod auth;
pub mod body;
mod compiled;
pub mod edge;
pub mod error;
pub mod limits;
pub mod names;
pub mod oauth;
mod openapi;
mod owners;
pub mod probe;
mod query_text;
pub mod refusal;
mod remembered;
pub mod rest;
mod routes;
mod rules;
pub mod scim;
pub mod services;
pub mod signing;
pub mod state;
pub mod target_kinds;

pub use compiled::{InForce, TargetFacts, compile};
pub use error::ApiError;
pub use openapi::openapi_document;
pub use routes::{health_router, router};
pub use scim::CursorKey;
pub use state::{ApiConfig, ApiState, AuthenticationConfig};
