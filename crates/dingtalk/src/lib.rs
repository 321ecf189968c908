//! DingTalk's API: wire types, token, limiter, error table; the connector.
//!
//! [`DingTalk`] is the one public door: it implements [`rollcall_provisioning::connector::Connector`] for one
//! configured organisation, and [`DingTalk::check`] tells a person what the application may do. Every call
//! takes the same way: a place in the shared rate budget, a token that is fetched once for all callers,
//! one request, a lenient reading of the answer by `errcode`, and one table that says what a refusal means.
//! Nothing here decides what happens next, and nothing here logs names, numbers, tokens or secrets.

mod account;
mod answer;
mod chat;
mod check;
mod client;
mod connector;
mod contact;
mod department;
mod error;
mod fit;
mod hidden;
mod limiter;
mod list;
mod operation;
mod role;
mod schema;
mod settings;
mod token;
mod transport;
mod wire;

pub use check::{Line, Report, Verdict};
pub use connector::DingTalk;
pub use schema::DingTalkSchema;
pub use settings::{Settings, SettingsError};
pub use transport::Connections;
