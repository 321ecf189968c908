//! Whole-program stories: the real binary, a real Postgres, the DingTalk simulator, and clients that speak exactly as
//! Okta and Entra do. Each story is what somebody who buys the product would try.

mod company;
mod dingtalk;
mod directory;
mod drivers;
mod endpoint;
mod idp;
mod random;
mod staff;
mod world;

mod bad_input;
mod departments;
mod faults;
mod invitations;
mod kill;
mod leaver;
mod managers;
mod outage;
mod rehire;
mod same_state;
mod tenants;
mod workers;
