//! The preflight: what the application can do in this organisation, told to a person before it is needed.
//!
//! Nothing is changed. A permission is tried with a person who cannot exist: DingTalk checks permissions
//! before it looks for the person, so "no such person" means that the permission is there.

mod features;

use crate::connector::DingTalk;
use crate::hidden;
use crate::operation::Operation;
use crate::wire::account::{Mobile, UserId};
use crate::wire::platform::Scopes;
use rollcall_provisioning::connector::{Connector, ConnectorError, ErrorClass};
use std::fmt;

/// An id that nobody and nothing has: Rollcall's own are UUIDs.
const NOBODY: &str = "rollcall-doctor-nobody";
/// A number of the mainland form that no operator gives out.
const NO_NUMBER: &str = "10000000000";

/// How one point of the preflight stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// As it must be.
    Good,
    /// Rollcall works, but something will be missing.
    Warning,
    /// Rollcall cannot do its work.
    Bad,
    /// It could not be found out now: DingTalk did not answer, or not in time.
    Unknown,
}

/// One point of the preflight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// How it stands.
    pub verdict: Verdict,
    /// What was looked at, in a few words.
    pub subject: &'static str,
    /// What was found and what to do, in sentences, without personal data or secrets.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Good => "ok",
            Verdict::Warning => "warning",
            Verdict::Bad => "failed",
            Verdict::Unknown => "unknown",
        };
        write!(f, "{word}: {}: {}", self.subject, self.text)
    }
}

/// The preflight of one target.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// The points in the order in which they were looked at; after a refused token it is only that one.
    pub lines: Vec<Line>,
    /// Attributes of accounts that DingTalk leaves out of every read, because the application lacks the field
    /// permission (page `query-user-details`). A missing value of these means nothing.
    pub unreadable: Vec<&'static str>,
}

impl Report {
    /// Whether Rollcall can do its work: no line is bad, and none is unknown.
    pub fn passed(&self) -> bool {
        self.lines.iter().all(|line| matches!(line.verdict, Verdict::Good | Verdict::Warning))
    }

    fn add(&mut self, verdict: Verdict, subject: &'static str, text: impl Into<String>) {
        self.lines.push(Line { verdict, subject, text: text.into() });
    }

    fn fail(&mut self, subject: &'static str, error: &ConnectorError) {
        let text = format!("{} {} (code {})", error.message, error.advice, error.code);
        self.add(if passes(error) { Verdict::Unknown } else { Verdict::Bad }, subject, text);
    }

    /// A call that had to be permitted, whatever it found.
    fn permitted(&mut self, subject: &'static str, good: &str, outcome: Result<(), ConnectorError>) {
        match outcome {
            Ok(()) => self.add(Verdict::Good, subject, good),
            Err(error) if matches!(error.class, ErrorClass::NotFound | ErrorClass::Invalid) => {
                self.add(Verdict::Good, subject, good);
            }
            Err(error) => self.fail(subject, &error),
        }
    }
}

/// Whether a failure says nothing about what the application may do.
const fn passes(error: &ConnectorError) -> bool {
    matches!(error.class, ErrorClass::Transient | ErrorClass::RateLimited)
}

impl DingTalk {
    /// Looks at everything that can be known without changing anything: credentials, contact range, readable
    /// fields, and the permissions behind the calls that the connector makes.
    pub async fn check(&self) -> Report {
        let mut report = Report::default();
        match self.client.sign_in().await {
            Ok(()) => report.add(Verdict::Good, "credentials", "DingTalk accepts the AppKey and AppSecret."),
            Err(error) => {
                report.fail("credentials", &error);
                return report;
            }
        }
        match self.client.get::<Scopes>(Operation::Scopes, &[]).await {
            Ok(scopes) => self.look_at(&scopes, &mut report),
            Err(error) => report.fail("contact range", &error),
        }
        self.look_at_contacts(&mut report).await;
        self.look_at_features(&mut report).await;
        report
    }

    /// What nothing works without.
    async fn look_at_contacts(&self, report: &mut Report) {
        match self.org_unit(self.root_org_unit()).await {
            Ok(Some(_)) => report.add(Verdict::Good, "departments", "Departments can be read."),
            Ok(None) => report.add(Verdict::Bad, "departments", "The department at the top is not there."),
            Err(error) => report.fail("departments", &error),
        }
        let nobody = UserId { userid: NOBODY };
        let read = self.account(NOBODY).await.map(drop);
        report.permitted("people", "People can be read.", read);
        let number = Mobile { mobile: NO_NUMBER, support_exclusive_account_search: false };
        let search = self.client.command(Operation::UserByMobile, &number).await;
        report.permitted("people by mobile number", "People can be found by their mobile number.", search);
        // An update that names nobody and no field is the one write that can change nothing.
        let write = self.client.command(Operation::UserUpdate, &nobody).await;
        report.permitted("writing", "People and departments can be written.", write);
    }

    fn look_at(&self, scopes: &Scopes, report: &mut Report) {
        let range = &scopes.auth_org_scopes;
        if range.authed_dept.contains(&self.settings.root_dept_id) {
            report.add(Verdict::Good, "contact range", "The application may see all staff.");
        } else {
            let (departments, people) = (range.authed_dept.len(), range.authed_user.len());
            let text = format!(
                "The application may see {departments} departments and {people} people, not all staff. Set its \
                 contact range to all staff (全部员工) in the DingTalk developer console."
            );
            report.add(Verdict::Bad, "contact range", text);
        }
        for permission in hidden::missing(scopes) {
            report.unreadable.extend_from_slice(permission.covers);
            let text = format!(
                "DingTalk does not list {} among the fields that the application may read, so changes made in DingTalk \
                 are not noticed. Grant {} in the DingTalk developer console.",
                permission.field, permission.name
            );
            report.add(Verdict::Warning, "readable fields", text);
        }
        if report.unreadable.is_empty() {
            report.add(Verdict::Good, "readable fields", "Mobile numbers and e-mail addresses can be read.");
        }
    }
}
