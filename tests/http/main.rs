//! The SCIM and REST interfaces as clients meet them: the real server over HTTP, on a real Postgres. Tables of what
//! Okta, Entra, other pushers, conformance suites and people with bad intentions send, one line for each case.
//!
//! Rows such as "B7" are those of the project's list of interoperability bugs, which other servers had; `3.8 #7` and
//! `3.9 Create_User` are tests of Entra's validators, `4.2 #7` and `4.3 #1` steps of Okta's suites. `tests/repo/rows.rs`
//! sees that none is forgotten.
#![expect(clippy::indexing_slicing, reason = "what is not there is null, and helpers of tests may fail loudly")]

mod raw;
mod world;

mod access;
mod assertions;
mod bulk;
mod entra;
mod filters;
mod gallery;
mod large_groups;
mod limits;
mod mapping;
mod members;
mod nested_groups;
mod oauth;
mod okta;
mod owners;
mod pages;
mod people;
mod plans;
mod profiles;
mod refusals;
mod rest;
mod returning;
mod rows;
mod schemas;
mod several_sources;
mod shapes;
mod targets;
mod tokens;
