//! A call with a token, repeated once if only the token was bad.

use crate::error;
use crate::operation::Operation;
use crate::settings::{Settings, SettingsError};
use crate::token::{Token, Tokens};
use crate::transport::{Call, Connections, Transport};
use rollcall_provisioning::budget::Budget;
use rollcall_provisioning::connector::ConnectorError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// DingTalk as one application sees it.
pub(crate) struct Client {
    transport: Transport,
    tokens: Tokens,
}

impl Client {
    pub(crate) fn new(
        settings: &Settings,
        budget: Arc<dyn Budget>,
        connections: &Connections,
    ) -> Result<Self, SettingsError> {
        let transport = Transport::new(settings, budget, connections)?;
        Ok(Self { transport, tokens: Tokens::new(settings.app_key.clone(), settings.app_secret.clone()) })
    }

    /// Whether a token can be had.
    pub(crate) async fn sign_in(&self) -> Result<(), ConnectorError> {
        self.tokens.get(&self.transport).await.map(|_| ())
    }

    /// A call that only has to succeed.
    pub(crate) async fn command<B: Serialize + Sync>(
        &self,
        operation: Operation,
        body: &B,
    ) -> Result<(), ConnectorError> {
        self.call(&Call { operation, query: &[], body: Some(body) }).await.map(|_| ())
    }

    /// A call whose `result` matters.
    pub(crate) async fn query<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        operation: Operation,
        body: &B,
    ) -> Result<T, ConnectorError> {
        let mut answer = self.call(&Call { operation, query: &[], body: Some(body) }).await?;
        let result = answer.get_mut("result").map(Value::take).unwrap_or_default();
        self.transport.decode(operation, result)
    }

    /// A call whose answer has no `result`: what matters stands beside the `errcode`, or is the whole body.
    pub(crate) async fn whole<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        operation: Operation,
        body: &B,
    ) -> Result<T, ConnectorError> {
        let answer = self.call(&Call { operation, query: &[], body: Some(body) }).await?;
        self.transport.decode(operation, answer)
    }

    /// A call whose answer must not say `false` in this field, as calls of the new host do that did nothing.
    pub(crate) async fn confirmed<B: Serialize + Sync>(
        &self,
        operation: Operation,
        body: &B,
        field: &str,
    ) -> Result<(), ConnectorError> {
        let answer = self.call(&Call { operation, query: &[], body: Some(body) }).await?;
        let denied = |value: &Value| *value == Value::Bool(false) || value.as_str() == Some("false");
        if answer.get(field).is_some_and(denied) { Err(self.transport.denied(operation)) } else { Ok(()) }
    }

    /// A GET of the old host, whose fields stand beside the `errcode`, or of the new one.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        operation: Operation,
        query: &[(&'static str, &str)],
    ) -> Result<T, ConnectorError> {
        let answer = self.call::<()>(&Call { operation, query, body: None }).await?;
        self.transport.decode(operation, answer)
    }

    /// The failure of a call that succeeded without saying what it must say.
    pub(crate) fn unreadable(&self, operation: Operation) -> ConnectorError {
        self.transport.unreadable(operation)
    }

    async fn call<B: Serialize + Sync>(&self, call: &Call<'_, B>) -> Result<Value, ConnectorError> {
        let token = self.tokens.get(&self.transport).await?;
        let first = self.call_with(&token, call).await;
        if !first.as_ref().is_err_and(error::refuses_token) {
            return first;
        }
        // A refused token means that nothing was done, so even a write can be repeated.
        self.tokens.invalidate(&token).await;
        let token = self.tokens.get(&self.transport).await?;
        let second = self.call_with(&token, call).await;
        if second.as_ref().is_err_and(error::refuses_token) {
            self.tokens.invalidate(&token).await;
        }
        second
    }

    async fn call_with<B: Serialize + Sync>(&self, token: &Token, call: &Call<'_, B>) -> Result<Value, ConnectorError> {
        let result = self.transport.send(call, Some(&token.value)).await;
        if result.as_ref().is_err_and(error::lacks_permission) {
            self.tokens.let_lapse(token).await;
        }
        result
    }
}
