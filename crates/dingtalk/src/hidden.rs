//! What the application may not read: fields that DingTalk leaves out of every read without a word.
//!
//! Two field permissions decide (pages `query-user-details`, `obtain-corpsecret-authorization-scope`): 企业员工手机号信息 for
//! numbers, 邮箱等个人信息 for the other personal fields. Which of them an application has is asked for once an hour.

use crate::client::Client;
use crate::operation::Operation;
use crate::wire::platform::Scopes;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass, Hidden};
use rollcall_provisioning::entity;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long an answer is believed. A permission that is granted or taken shows after this time at the latest.
const BELIEVED: Duration = Duration::from_hours(1);

/// A field permission: the field that shows whether it is there, its name, and the attributes that it covers.
pub(crate) struct FieldPermission {
    pub(crate) field: &'static str,
    pub(crate) name: &'static str,
    pub(crate) covers: &'static [&'static str],
}

/// The field permissions of an application.
pub(crate) static PERMISSIONS: [FieldPermission; 2] = [
    FieldPermission { field: "mobile", name: "企业员工手机号信息", covers: &[entity::MOBILE] },
    FieldPermission {
        field: "email",
        name: "邮箱等个人信息",
        covers: &[entity::EMAIL, entity::ORG_EMAIL, entity::WORK_PLACE, entity::REMARK, entity::EXTENSION_PREFIX],
    },
];

/// The permissions that are missing.
pub(crate) fn missing(scopes: &Scopes) -> impl Iterator<Item = &'static FieldPermission> {
    let readable = |field: &str| scopes.auth_user_field.iter().any(|name| name == field);
    PERMISSIONS.iter().filter(move |permission| !readable(permission.field))
}

/// What the application sees, remembered.
#[derive(Default)]
pub(crate) struct Sight {
    kept: Mutex<Option<(Instant, Hidden)>>,
}

impl Sight {
    /// What every read of people leaves out.
    pub(crate) async fn hidden(&self, client: &Client) -> Result<Hidden, ConnectorError> {
        let mut kept = self.kept.lock().await;
        if let Some((asked_at, hidden)) = &*kept
            && asked_at.elapsed() < BELIEVED
        {
            return Ok(hidden.clone());
        }
        let scopes: Scopes = client.get(Operation::Scopes, &[]).await?;
        let hidden = Hidden::new(missing(&scopes).flat_map(|permission| permission.covers).copied());
        *kept = Some((Instant::now(), hidden.clone()));
        Ok(hidden)
    }

    /// Refuses when `attribute` cannot be read: whoever overwrites what is there must know it.
    pub(crate) async fn must_show(&self, client: &Client, attribute: &'static str) -> Result<(), ConnectorError> {
        if !self.hidden(client).await?.covers(attribute) {
            return Ok(());
        }
        Err(ConnectorError {
            class: ErrorClass::Forbidden,
            code: format!("{}_unreadable", attribute.trim_end_matches('.')),
            message: "The application may not read the custom fields of people, and to clear one of them DingTalk \
                      wants to be sent all others."
                .to_owned(),
            advice: "Grant 邮箱等个人信息 to the application in the DingTalk developer console.".to_owned(),
            attribute: Some(attribute),
            retry_after: None,
            outcome_unknown: false,
        })
    }
}
