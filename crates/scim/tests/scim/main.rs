//! What the crate promises, as tables of one-line cases; the letters and numbers of cases are those of real
//! interoperability bugs.

#![cfg(test)]

mod active;
mod bulk;
mod define;
mod discovery;
mod filter;
mod filter_errors;
mod fold;
mod fuzzed;
mod given;
mod group_patch;
mod list;
#[path = "../../fuzz/oracles/mod.rs"]
mod oracles;
mod patch;
mod patch_errors;
mod path;
mod post;
mod profile;
mod projection;
mod properties;
mod put;
mod render;
mod rfc_examples;
mod search;
mod sort;
