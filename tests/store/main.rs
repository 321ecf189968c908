//! The store on a real Postgres, races included.

mod adoption;
mod changes;
mod connections;
mod dice;
mod filters;
mod fixture;
mod groups;
mod large_groups;
mod links;
mod lists;
mod lookups;
mod managers;
mod marks;
mod restored;
mod setup;
mod shared;
mod shown;
mod sorts;
mod sources;
mod third_parties;
mod undo;
mod users;
mod wakes;
