//! The mapping engine: documents, expressions, people, groups, leavers, previews.

#![cfg(test)]

mod attributes;
mod checks;
mod departments;
mod documents;
mod functions;
mod given;
mod groups;
mod limits;
mod people;
mod previews;
mod properties;
mod standard;
