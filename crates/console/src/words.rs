//! From values to what a person reads. Pure: the present moment comes in as an argument.

pub mod age;
pub mod count;
pub mod guard;
pub mod held;
pub mod mask;
pub mod plan;
pub mod rules;
pub mod source;
pub mod standing;
pub mod status;
