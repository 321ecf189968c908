//! The reconciler on a real Postgres, towards a target in memory that fails on schedule, under a clock that the test
//! moves: whatever happens in between, the end is the same as after one clean run.

mod crash;
mod fake;
mod world;
