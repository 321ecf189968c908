//! The thinking of Rollcall, as pure code: what an entity in a target should look like ([`mapping`],
//! [`org_unit`]), what must be done to get there ([`plan`]), whether that
//! is sane ([`contradiction`]) and not too much at once ([`guard`]), what a
//! failure means ([`retry`]) and how it is told to a person ([`delivery`]).
//!
//! Nothing here reads a clock, draws a random number or does IO: time comes in as an argument (or as a
//! [`time::Clock`]), ids come from an [`ids::IdSource`], jitter from a seed. The [`connector::Connector`]
//! trait is the one door to a target such as DingTalk; its implementation lives in a crate of its own.

pub mod allowance;
pub mod budget;
pub mod connector;
pub mod contradiction;
pub mod correlation;
pub mod csv;
pub mod decider;
pub mod delivery;
pub mod entity;
pub mod finding;
pub mod guard;
pub mod ids;
pub mod invitation;
pub mod mapping;
pub mod mobile;
pub mod org_unit;
pub mod outage;
pub mod overrides;
pub mod plan;
pub mod proposal;
pub mod retry;
pub mod stop;
pub mod time;
pub mod undo;
pub mod window;
