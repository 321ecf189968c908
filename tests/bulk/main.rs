//! The parts of RFC 7644 beyond single resources, over HTTP on a real Postgres: searches, queries over all types,
//! sorted lists, bulk requests.

mod fixture;
mod search;
mod sort;
