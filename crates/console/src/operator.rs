//! Who is looking: the operator of the request's session.

use crate::session;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::View;
use axum::extract::FromRequestParts;
use axum_extra::extract::CookieJar;
use http::request::Parts;
use rollcall_api::ApiError;
use rollcall_api::services::sign_in::SignedIn;
use rollcall_api::services::sources::SetUpBy;
use rollcall_provisioning::ids::TenantId;

/// A request with a session that is still good.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    /// The tenant whose console it is. Everything a page reads is read for this tenant.
    pub(crate) tenant: TenantId,
    /// What the operator signed in with.
    pub(crate) name: String,
    /// Whether the browser reached us over HTTPS.
    pub(crate) https: bool,
}

impl Operator {
    /// How the change log names whoever changes something here.
    pub(crate) async fn as_author(&self, state: &ConsoleState) -> Result<SetUpBy, Trouble> {
        let who = state.api().store().operator(&self.name).await.map_err(ApiError::from)?;
        Ok(SetUpBy::Operator(who.ok_or(Trouble::SessionEnded)?.id))
    }
}

impl FromRequestParts<ConsoleState> for Operator {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &ConsoleState) -> Result<Self, Trouble> {
        let Ok(view) = View::from_request_parts(parts, state).await;
        let jar = CookieJar::from_headers(&parts.headers);
        let session = session::tokens(&jar).next().and_then(|token| state.key().read(token, state.now()));
        let who = session.filter(|session| !state.signed_out().contains(session.id)).map(|session| session.who);
        let still = async |who: &SignedIn| who.is_still_welcome(state.api().store()).await;
        match who {
            Some(who) if still(&who).await? => {
                Ok(Self { tenant: who.tenant, name: who.name, https: session::is_secure(&jar) })
            }
            _ if view.fragment => Err(Trouble::SessionEnded),
            _ => Err(Trouble::SignInFirst { then: view.address() }),
        }
    }
}
