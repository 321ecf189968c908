//! The reconciler on a real Postgres, towards a target in memory that fails on schedule, under a clock that the test
//! moves: whatever happens in between, the end is the same as after one clean run.

mod budget;
mod circles;
mod connections;
mod crash;
mod death;
mod departments;
mod erasure;
mod fake;
mod group_plans;
mod group_rules;
mod groups;
mod guards;
mod heritage;
mod holdings;
mod invitations;
mod learning;
mod leases;
mod leavers;
mod lockout;
mod loops;
mod managers;
mod mappings;
mod modes;
mod outsiders;
mod partings;
mod plans;
mod quota;
mod short_lists;
mod stages;
mod stops;
mod surveys;
mod undo;
mod wakes;
mod world;
