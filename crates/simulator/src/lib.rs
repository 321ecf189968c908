//! A stateful DingTalk on loopback, for the demo, rehearsals and tests.
//!
//! DingTalk has no sandbox, so this is the only place where a client can be tried without a real organisation. It is
//! strict, it remembers, and it shares no code with our own client, so that both cannot be wrong together. One listener
//! answers the paths of both hosts: `oapi.dingtalk.com` (`/gettoken`, `/topapi/…`, `/auth/scopes`, `/department/list`)
//! and `api.dingtalk.com` (`/v1.0/…`).
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let simulator = rollcall_simulator::Simulator::new(rollcall_simulator::Options::default());
//! rollcall_simulator::serve(listener, simulator, std::future::pending()).await
//! # }
//! ```
//!
//! For runs that must repeat themselves, [`Simulator::with_clock`] takes time from a [`ManualClock`] and
//! [`Simulator::respond`] answers in-process:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! use axum::body::Bytes;
//! use axum::http::Request;
//! use rollcall_simulator::{ManualClock, Options, Simulator};
//!
//! let clock = ManualClock::at(1_767_225_600_000);
//! let simulator = Simulator::with_clock(Options { seed: 7, ..Options::default() }, clock.clone());
//! let request = Request::get("/gettoken?appkey=dingsimulatorapp&appsecret=simulator-secret").body(Bytes::new());
//! let response = simulator.respond(request.expect("a request")).await;
//! assert_eq!(response.status(), 200);
//! clock.advance(7_200_000);
//! # });
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Faithful to DingTalk's documents
//!
//! * Tokens: three ways to get one; the same token, renewed, when asked again; 7200 seconds; scopes frozen when issued;
//!   query or form on the old host, header on the new one.
//! * Error bodies: HTTP 200 with `errcode` on the old host, gateway errors as 88 with `sub_code`; `code`, `requestid`
//!   and `message` with an HTTP status on the new one; errcode 22 with the API's name for an unknown path.
//! * Members: partial update, departments replaced as a set, `extension` overwritten unless told to append, the manager
//!   cleared through `force_update_fields` only, mobile numbers that no app can change (40022, 40021, 41054, 60104),
//!   unique user ids, numbers, e-mails and extension numbers, lengths and characters.
//! * Invitations: whoever belongs to a certified organisation, wants to be asked, or joined and left the same day is
//!   invited (40103) and in no list until they accept; 40019 and 60107 likewise.
//! * Enterprise accounts: SSO and DingTalk-managed ones, which need no number; accounts of other organisations; disabled
//!   and enabled on the new host in its own words; shown in reads and lists.
//! * Roles: groups and roles, the default group that no API changes, at most 20 roles and 20 people (100 when taking) per
//!   call, pages that count groups, roles in user/get, nothing left with whoever leaves.
//! * Group chats: scene groups from templates that exist, repeatable with a `uuid`, and normal groups; at most 1000
//!   members; owners, administrators, settings; disbanded scene groups; leavers leave their chats.
//! * External contacts: labels and a member in charge are mandatory, numbers unique and never changed, lists that do not
//!   say whether there is more.
//! * Departments: generated ids, names unique among siblings, no hyphen and no comma, cycles, managers and group owners
//!   who must be members, root rules, deletion only when empty.
//! * Limits: 20 calls per second, app and API in a sliding window (90018); 10,000 calls per address in 20 seconds, then
//!   a page for people instead of JSON for five minutes; a monthly quota for what is not free (90020), off at first.
//! * Field permissions that silently leave fields out, contact ranges (50002, 50004), IP whitelists (60020).
//! * Reads leave out what is empty; numbers are numbers and booleans booleans, although calls may send both as text,
//!   objects as JSON text, and everything as a form.
//!
//! # Inferred, and what can be switched
//!
//! Not documented, chosen by us:
//!
//! * the order of the gateway's checks and of the business rules; that refused calls do not fill the rate window; the
//!   texts of errors; automatic sort orders;
//! * that a leaver is cleared as a manager; that foreign numbers are read back without their country code; that
//!   `/department/list` shows its starting point only when no id was given; that an ordinary read of a user id ignores
//!   case; that at most one department is the main one; that a taken login name is 400002;
//! * that the roles of the default group follow from administrators and department managers; that too many roles or people in one call are 400002;
//! * that a new owner of a chat must be a member and cannot be removed, and who follows an owner who leaves; that chats,
//!   enterprise accounts and contact search count against the monthly quota, since no page says they are free;
//! * that an update of an external contact must name what its creation must; that an unknown label counts as none; that
//!   contacts keep a member in charge who has left;
//! * that whoever has logged in once counts as active on every day.
//!
//! The questions in [`Switches`] can be answered either way, at the start or while running; limits without published
//! numbers are in [`Organisation`].
//!
//! Not simulated: messages, Smart HR beyond 12150, events, chats owned by people outside, linked organisations, searching
//! by pinyin, and whatever only the official SDK knows, apart from recalling invitations.
//!
//! # Outside DingTalk's path space
//!
//! | Request | Does |
//! |---|---|
//! | `GET /_simulator/` | a page to watch, renewed every two seconds |
//! | `GET /_simulator/state` | everything stored, sorted by id, comparable between runs: `users` (enterprise accounts with `exclusive`), `departments`, `role_groups`, `roles`, `chats`, `external_contacts`, `label_groups`, `invitations`, `people`, `departures` |
//! | `GET /_simulator/calls?after=&api=&limit=` | the call log, oldest first |
//! | `GET /_simulator/stats` | sums and the highest number of calls in any sliding second, by API |
//! | `GET`, `PUT` (a list), `POST` (one), `DELETE /_simulator/faults`, `DELETE …/faults/{id}` | what is to break |
//! | `POST /_simulator/people` | `mobile` and flags `certified_corp`, `privacy`, `left_today`, `uncertified_corps`, `member_userid` |
//! | `POST /_simulator/invitations/{mobile}/accept`, `…/decline` | the invited person answers |
//! | `POST /_simulator/users/{userid}/login` | the first login |
//! | `POST /_simulator/edit` | an admin's hand, see below |
//! | `POST /_simulator/tokens/revoke` | every token becomes invalid |
//! | `GET`, `PUT /_simulator/apps` | apps and what they are granted |
//! | `GET`, `PATCH /_simulator/switches`, `…/organisation` | settings |
//! | `POST /_simulator/clock` | `{"advance_ms":…}` lets time pass |
//! | `POST /_simulator/reset` | back to the beginning |
//!
//! # An admin's hand
//!
//! The `action` of an edit is one of the following; its other fields are those of the API that does the same, free of
//! some of the API's limits. Nothing of this is in the call log.
//!
//! * `create_user`, `update_user`, `delete_user`, with `active`, `admin_level` (0, 1 main, 2 sub) and `admin_dept_ids`;
//! * `create_department`, `update_department`, `delete_department`;
//! * `create_role_group`, `update_role_group`, `delete_role_group` (`groupId`), `create_role`, `update_role`,
//!   `delete_role`, `add_role_holders`, `remove_role_holders`;
//! * `update_chat`, `add_chat_members`, `remove_chat_members`, `disband_chat`, all with `chat_id`;
//! * `create_external_contact`, `update_external_contact`, `delete_external_contact`, `create_label_group` (`name`,
//!   `color`, `labels`).
//!
//! # Faults
//!
//! A rule is `{"path", "concerning", "kind", "after_commit", "skip", "times", "probability", "seed"}`; all but `kind` may
//! be left out. `path` is an API or a folder of APIs, `concerning` a person, department, number, role or chat. Kinds:
//! `{"latency":{"ms":…,"jitter_ms":…}}`, `"down"` (the connection is cut), `"timeout"` (errcode 15), `{"errcode":-1}`,
//! `{"throttled":"app"}` (90018), `"platform"` (90002) or `"month"` (90020), `{"ip_ban":"html"}` or `"json"`,
//! `"token_revoked"`, `"scope_missing"`, `"ip_not_whitelisted"`, `{"http":502}`, `"malformed"`, `{"stale":{"ms":…}}` (a
//! read shows the organisation as it was so long ago).
//!
//! With `after_commit` the call is carried out first: a lost answer is `"down"`, `"timeout"` or a long `"latency"` with
//! `after_commit`.

mod api;
mod calls;
mod clock;
mod connection;
mod control;
mod corp;
mod errcode;
mod faults;
mod gateway;
mod mobile;
mod options;
mod params;
mod past;
mod quota;
mod random;
mod serve;
mod simulator;
mod throttle;
mod tokens;

pub use clock::ManualClock;
pub use options::{App, ForeignAccount, Options, Organisation, Switches};
pub use serve::{router, serve};
pub use simulator::{Simulator, Transit};
