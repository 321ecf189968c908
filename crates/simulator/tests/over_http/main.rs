//! The simulator over real HTTP on a loopback port, as a client of DingTalk meets it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod chats;
mod control_paths;
mod department_rules;
mod embedding;
mod enterprise;
mod external;
mod faults;
mod gateway;
mod harness;
mod invitations;
mod lists;
mod quota;
mod roles;
mod scene_groups;
mod search;
mod stale_reads;
mod switches;
mod user_fields;
mod user_rules;
