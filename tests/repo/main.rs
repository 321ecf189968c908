//! Rules about the repository itself: who may depend on whom, how large a file may be, that documents name things
//! which exist. Each rule is a plain test, so that no extra step is needed to keep it.

mod borders;
mod files;
mod map;
mod mapping;
mod migrations;
mod profiles;
mod rows;
mod tree;
mod worries;
