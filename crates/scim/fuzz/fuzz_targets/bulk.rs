//! Any text as a bulk request.
#![no_main]

#[path = "../oracles/mod.rs"]
#[expect(dead_code, reason = "each target uses one of the oracles")]
mod oracles;

libfuzzer_sys::fuzz_target!(|text: &str| oracles::bulk::check(text));
