//! What single features need beyond people and departments: lists, roles, chats, external contacts, enterprise accounts.
//! What is missing is a failure where the settings of the target ask for the feature, and a warning elsewhere.

use super::{NOBODY, Report, Verdict, passes};
use crate::connector::DingTalk;
use crate::error;
use crate::operation::Operation;
use crate::wire::chat::{ChangedGroup, GotChat};
use crate::wire::contact::{ContactId, ListContacts};
use crate::wire::platform::AuthInfo;
use rollcall_provisioning::connector::{Connector, ConnectorError, ErrorClass};
use serde_json::{Map, Value};

/// What DingTalk answers to a chat id that it has never given out: then the call was permitted.
const NO_SUCH_CHAT: &str = "40016";

/// A permission that a feature needs.
struct Feature {
    subject: &'static str,
    /// The permission in the developer console.
    scope: &'static str,
    /// Whether the settings of the target ask for the feature.
    asked_for: bool,
    good: &'static str,
    /// What does not work without it. A sentence.
    without: &'static str,
}

impl Report {
    /// A call that a feature needs. Whatever else DingTalk finds wrong with it, it was permitted.
    fn feature(&mut self, feature: &Feature, outcome: Result<(), ConnectorError>) {
        let found = |error: &ConnectorError| {
            let about = matches!(
                error.class,
                ErrorClass::NotFound
                    | ErrorClass::Invalid
                    | ErrorClass::MissingReference
                    | ErrorClass::Conflict
                    | ErrorClass::Forbidden
            );
            about && !error::lacks_permission(error)
        };
        match outcome {
            Err(error) if !found(&error) => {
                let verdict = match feature.asked_for {
                    _ if passes(&error) => Verdict::Unknown,
                    true => Verdict::Bad,
                    false => Verdict::Warning,
                };
                let text = format!(
                    "{} {} (code {}) It needs the permission {}. {}",
                    error.message, error.advice, error.code, feature.scope, feature.without
                );
                self.add(verdict, feature.subject, text);
            }
            _ => self.add(Verdict::Good, feature.subject, feature.good),
        }
    }
}

impl DingTalk {
    pub(super) async fn look_at_features(&self, report: &mut Report) {
        let lists = Feature {
            subject: "lists of people",
            scope: "qyapi_get_department_member",
            asked_for: false,
            good: "The people of a department can be listed.",
            without: "Without it, changes made in DingTalk are found only person by person, and people whom Rollcall does \
                      not know are not found at all.",
        };
        report.feature(&lists, self.accounts_in(self.root_org_unit(), None).await.map(drop));
        self.look_at_departments(report).await;
        self.look_at_people(report).await;
        let roles = Feature {
            subject: "roles",
            scope: "qyapi_get_department_list",
            asked_for: false,
            good: "Roles can be read.",
            without: "Without it, no group can be mapped to a role.",
        };
        report.feature(&roles, self.roles(None).await.map(drop));
        self.look_at_chats(report).await;
        self.look_at_external_contacts(report).await;
        if self.settings.enterprise_accounts {
            self.look_at_enterprise_accounts(report).await;
        }
        if let Some(corp_id) = &self.settings.corp_id {
            self.look_at_certification(corp_id, report).await;
        }
        let metered = "Calls about people, departments, roles and external contacts are not counted. Those about chats, \
                       and perhaps those about enterprise accounts, count against the calls that the organisation has \
                       for each month: 5,000 in the standard edition.";
        report.add(Verdict::Good, "monthly quota", metered);
    }

    async fn look_at_departments(&self, report: &mut Report) {
        match crate::department::children(&self.client, self.root_org_unit()).await {
            Ok((_, 0)) => {}
            Ok((_, pseudo)) => {
                let text = format!(
                    "{pseudo} departments at the top have ids below zero: they belong to the school directory \
                     (家校通讯录), and Rollcall leaves them alone."
                );
                report.add(Verdict::Warning, "school departments", text);
            }
            Err(error) => report.fail("school departments", &error),
        }
    }

    async fn look_at_people(&self, report: &mut Report) {
        match self.account_count().await {
            Ok(count) => {
                report.add(Verdict::Good, "number of people", format!("The organisation has {count} people."));
            }
            Err(error) => report.fail("number of people", &error),
        }
        let subject = "administrators";
        match self.administrators().await {
            Ok(found) if found.is_empty() => {
                let text = "DingTalk names nobody who administers the organisation, so Rollcall cannot keep them from \
                            being removed. Look at the main administrator (主管理员) in the DingTalk console.";
                report.add(Verdict::Warning, subject, text);
            }
            Ok(found) => {
                let text = format!("{} people administer the organisation.", found.len());
                report.add(Verdict::Good, subject, text);
            }
            Err(error) => report.fail(subject, &error),
        }
    }

    async fn look_at_chats(&self, report: &mut Report) {
        let asked_for = self.settings.chat_template_id.is_some();
        let without = "Without it, no group can be mapped to a chat.";
        let reading = Feature {
            subject: "reading chats",
            scope: "qyapi_chat_read",
            asked_for,
            good: "Group chats can be read.",
            without,
        };
        let found = self.client.get::<GotChat>(Operation::ChatGet, &[("chatid", NOBODY)]).await.map(drop);
        report.feature(&reading, found.or_else(|error| if error.code == NO_SUCH_CHAT { Ok(()) } else { Err(error) }));
        let writing = Feature {
            subject: "writing chats",
            scope: "qyapi_chat_manage",
            asked_for,
            good: "Group chats can be written.",
            without,
        };
        let nothing = ChangedGroup { chatid: NOBODY, ..ChangedGroup::default() };
        report.feature(&writing, self.client.command(Operation::ChatUpdate, &nothing).await);
    }

    async fn look_at_external_contacts(&self, report: &mut Report) {
        let asked_for = !self.settings.contact_label_ids.is_empty() && self.settings.contact_follower.is_some();
        let without = "Without it, nobody can be mapped to an external contact.";
        let reading = Feature {
            subject: "reading external contacts",
            scope: "qyapi_ext_read",
            asked_for,
            good: "External contacts can be read.",
            without,
        };
        let found = self.client.command(Operation::ContactList, &ListContacts { size: 1, offset: 0 }).await;
        report.feature(&reading, found);
        let writing = Feature {
            subject: "writing external contacts",
            scope: "qyapi_ext_write",
            asked_for,
            good: "External contacts can be written.",
            without,
        };
        let nobody = ContactId { user_id: NOBODY };
        report.feature(&writing, self.client.command(Operation::ContactDelete, &nobody).await);
    }

    async fn look_at_enterprise_accounts(&self, report: &mut Report) {
        let accounts = Feature {
            subject: "enterprise accounts",
            scope: "Contact.OrgAccountSecurity.ReadWrite",
            asked_for: true,
            good: "Enterprise accounts can be turned off and on.",
            without: "Without it, enterprise accounts can be created and deleted, but not turned off.",
        };
        let status = self.client.get::<Map<String, Value>>(Operation::AccountStatus, &[("userId", NOBODY)]).await;
        report.feature(&accounts, status.map(drop));
    }

    async fn look_at_certification(&self, corp_id: &str, report: &mut Report) {
        let subject = "certification";
        match self.client.get::<AuthInfo>(Operation::AuthLevel, &[("targetCorpId", corp_id)]).await {
            Ok(AuthInfo { auth_level: Some(level) }) if level > 0 => {
                report.add(Verdict::Good, subject, "The organisation is certified.");
            }
            Ok(AuthInfo { auth_level: Some(_) }) => {
                let text = "The organisation is not certified, so people who belong to five such organisations cannot \
                            join (code 40019), and its limits are low. Have it certified in the DingTalk console.";
                report.add(Verdict::Warning, subject, text);
            }
            Ok(AuthInfo { auth_level: None }) => {
                report.add(Verdict::Warning, subject, "DingTalk does not say whether the organisation is certified.");
            }
            Err(error) => {
                let text = format!(
                    "{} {} (code {}) It needs the permission Contact.Org.Read, and only this line of the check does.",
                    error.message, error.advice, error.code
                );
                report.add(Verdict::Warning, subject, text);
            }
        }
    }
}
