//! Whole-program stories: the real binary, a real Postgres, the DingTalk simulator, and clients that speak exactly as
//! Okta and Entra do. Each story is what somebody who buys the product would try.

#![expect(clippy::indexing_slicing, reason = "what is missing in JSON reads as null; a test that is wrong may panic")]

mod company;
mod dingtalk;
mod directory;
mod drivers;
mod endpoint;
mod idp;
mod preflight;
mod random;
mod setup;
mod staff;
mod world;

mod accounts;
mod adoption;
mod bad_input;
mod commands;
mod connections;
mod console;
mod demo;
mod departments;
mod faults;
mod groups;
mod guard_pages;
mod guards;
mod held_page;
mod invitations;
mod kill;
mod leaver;
mod leavers;
mod limits;
mod links;
mod managers;
mod mapping;
mod mapping_pages;
mod outage;
mod past;
mod plan_commands;
mod plan_pages;
mod plans;
mod rehire;
mod restore;
mod same_state;
mod second_person;
mod secrets;
mod sources;
mod target_pages;
mod tenants;
mod undo;
mod undo_pages;
mod workers;
