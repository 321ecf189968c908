//! The parts of RFC 7644 beyond single resources, over HTTP on a real Postgres: searches, queries over all types,
//! sorted lists, cursors.

#![expect(clippy::indexing_slicing, reason = "an answer without the member that is asked for fails the test")]

mod cursor;
mod fixture;
mod search;
mod sort;
