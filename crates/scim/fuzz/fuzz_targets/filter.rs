//! Any text as a filter.
#![no_main]

#[path = "../oracles/mod.rs"]
#[expect(dead_code, reason = "each target uses one of the oracles")]
mod oracles;

libfuzzer_sys::fuzz_target!(|text: &str| oracles::filter::check(text));
