//! DingTalk's own shapes. Requests are written exactly as the pages say; answers are read leniently, because
//! even the official examples show numbers as strings and single objects where lists are documented (page
//! `server-api-calling-guide`). Fields that nothing here uses are not named, and so cannot be in the way.

pub(crate) mod account;
pub(crate) mod chat;
pub(crate) mod contact;
pub(crate) mod department;
mod lenient;
pub(crate) mod platform;
pub(crate) mod role;
