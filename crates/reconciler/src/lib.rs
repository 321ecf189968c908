//! The loop: claim what is dirty, load it, map it, observe the target, plan, apply step by step, record.
//!
//! Everything that decides lives in [`rollcall_provisioning`], everything that is SQL in [`rollcall_store`]; this
//! crate walks from one to the next and holds what must be true at each step:
//!
//! - the claim is committed before any work begins, and every write names it, so that a worker that lost its
//!   lease writes nothing; a worker that cannot be sure of its lease any more drops the work, so that it calls nobody;
//! - no transaction is open while the target is called;
//! - a link is `unknown` while a call is under way, so that a crash in its middle is read, not guessed;
//! - one resource that fails, or even panics, never stops another.

mod account;
mod act;
mod connectors;
mod contact;
mod correlate;
mod delivery;
mod department;
mod first_password;
mod gate;
mod group;
mod group_gate;
mod group_report;
mod heritage;
mod holding;
mod invitation;
mod lease;
mod leave;
mod members;
mod observe;
mod placing;
mod refusal;
mod report;
mod scan;
mod survey;
mod watched;
mod wish;
mod worker;

pub use connectors::{ConnectorFactory, FactoryError, FirstPassword};
pub use worker::{Options, Reconciler};
