//! What every page can reach.

use crate::recent::Recent;
use crate::session::SessionKey;
use crate::signed_out::SignedOut;
use axum::extract::FromRef;
use rollcall_api::ApiState;
use rollcall_api::services::overview::Overview;
use rollcall_api::services::sign_in::SignIn;
use std::sync::Arc;
use time::OffsetDateTime;

/// What every page can reach. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ConsoleState(Arc<Inner>);

struct Inner {
    api: ApiState,
    key: SessionKey,
    sign_in: SignIn,
    signed_out: SignedOut,
    overviews: Recent<Overview>,
}

impl ConsoleState {
    pub(crate) fn new(api: ApiState, key: SessionKey) -> Self {
        let (sign_in, signed_out, overviews) = (SignIn::default(), SignedOut::default(), Recent::default());
        Self(Arc::new(Inner { api, key, sign_in, signed_out, overviews }))
    }

    /// The services' state.
    pub(crate) fn api(&self) -> &ApiState {
        &self.0.api
    }

    /// What sessions are signed with.
    pub(crate) fn key(&self) -> &SessionKey {
        &self.0.key
    }

    /// The door.
    pub(crate) fn sign_in(&self) -> &SignIn {
        &self.0.sign_in
    }

    /// Sessions that were signed out.
    pub(crate) fn signed_out(&self) -> &SignedOut {
        &self.0.signed_out
    }

    /// Overviews that are new enough to be shown again.
    pub(crate) fn overviews(&self) -> &Recent<Overview> {
        &self.0.overviews
    }

    /// The present moment.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.0.api.edge().clock.now()
    }
}

impl FromRef<ConsoleState> for ApiState {
    fn from_ref(state: &ConsoleState) -> Self {
        state.api().clone()
    }
}
