//! The store on a real Postgres, races included.

mod changes;
mod filters;
mod fixture;
mod groups;
mod lists;
mod marks;
mod setup;
mod users;
mod wakes;
