//! What every handler can reach.

use crate::auth::Guard;
use crate::auth::access_token::TokenKey;
use crate::auth::address::Networks;
use crate::auth::cache::CredentialCache;
use crate::auth::issued::VerifiedTokens;
use crate::auth::keys::{FetchKeys, KeyCache};
use crate::auth::last_use::LastUses;
use crate::auth::rate::Rate;
use crate::auth::trust::{Keys, Trust};
use crate::compiled::{CompiledMappings, InForce, TargetFacts};
use crate::edge::Edge;
use crate::error::ApiError;
use crate::limits::PREVIEWS;
use crate::probe::AskTarget;
use crate::rules::{Rules, RulesCache};
use crate::scim::CursorKey;
use crate::services::preflight::{Preflights, preflights};
use crate::target_kinds::TargetKinds;
use rollcall_provisioning::ids::{IdSource, TenantId};
use rollcall_provisioning::mapping::Mapping;
use rollcall_provisioning::time::Clock;
use rollcall_store::{Store, StoreError};
use std::sync::Arc;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

/// What the HTTP side can be told.
#[derive(Clone)]
pub struct ApiConfig {
    /// The URL under which clients reach this server, without a path (`https://rollcall.example.com`); it goes into
    /// every `Location` and `$ref`. `None`: `http://` and the request's own `Host`.
    pub public_url: Option<String>,
    /// What targets take, so that mappings can be compiled.
    pub target: TargetFacts,
    /// The kinds of target that there are, with their settings.
    pub kinds: Arc<dyn TargetKinds>,
    /// Asks targets for what is not known here.
    pub targets: Arc<dyn AskTarget>,
    /// Seals the cursors of lists; the same in all processes of an installation.
    pub cursor_key: CursorKey,
    /// Who is believed, and how fast they may call.
    pub authentication: AuthenticationConfig,
}

/// What authentication can be told.
#[derive(Clone)]
pub struct AuthenticationConfig {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// How fast a source may call that has no rate of its own; `None`: as fast as it can.
    pub source_rate: Option<Rate>,
    /// Signs access tokens; the same in all processes of an installation.
    pub token_key: Arc<TokenKey>,
    /// Reaches out for the keys that issuers publish.
    pub keys: Arc<dyn FetchKeys>,
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Inner>);

struct Inner {
    store: Store,
    config: ApiConfig,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    rules: RulesCache,
    mappings: CompiledMappings,
    /// Those who may look at everybody at the same time.
    previews: Arc<Semaphore>,
    credentials: CredentialCache,
    last_uses: LastUses,
    guard: Guard,
    keys: KeyCache,
    verified: VerifiedTokens,
    preflights: Preflights,
}

impl ApiState {
    /// The state of one server. `ids` makes request ids.
    pub fn new(store: Store, config: ApiConfig, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        let AuthenticationConfig { trusted_proxies, source_rate, .. } = config.authentication.clone();
        Self(Arc::new(Inner {
            store,
            config,
            clock,
            ids,
            rules: RulesCache::default(),
            mappings: CompiledMappings::default(),
            previews: Arc::new(Semaphore::new(PREVIEWS)),
            credentials: CredentialCache::default(),
            last_uses: LastUses::default(),
            guard: Guard::new(trusted_proxies, source_rate),
            keys: KeyCache::default(),
            verified: VerifiedTokens::default(),
            preflights: preflights(),
        }))
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Remembered credentials; see [`CredentialCache::invalidate_all`].
    pub fn credentials(&self) -> &CredentialCache {
        &self.0.credentials
    }

    /// The mapping of a tenant that counts now.
    ///
    /// # Errors
    /// 409 if it does not fit the tenant's schemas any more.
    pub async fn mapping_of(&self, tenant: TenantId) -> Result<InForce, ApiError> {
        self.0.mappings.get(self.store(), tenant, &*self.target().schema).await
    }

    /// The same for what can be told without it: `None` if it does not fit the tenant's schemas any more. Its targets say
    /// so themselves.
    pub async fn usable_mapping(&self, tenant: TenantId) -> Result<Option<Arc<Mapping>>, ApiError> {
        match self.mapping_of(tenant).await {
            Ok(counting) => Ok(Some(counting.mapping)),
            Err(ApiError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What targets take.
    pub fn target(&self) -> &TargetFacts {
        &self.0.config.target
    }

    /// The kinds of target that there are, with their settings.
    pub fn kinds(&self) -> &dyn TargetKinds {
        &*self.0.config.kinds
    }

    /// Asks targets for what is not known here.
    pub fn targets(&self) -> &dyn AskTarget {
        &*self.0.config.targets
    }

    /// Preflights that were made lately.
    pub(crate) fn preflights(&self) -> &Preflights {
        &self.0.preflights
    }

    /// Places for those who look at everybody; see [`PREVIEWS`].
    pub(crate) fn previews(&self) -> &Arc<Semaphore> {
        &self.0.previews
    }

    /// The edge that all routes of this server pass.
    pub fn edge(&self) -> Edge {
        Edge { clock: Arc::clone(&self.0.clock), ids: Arc::clone(&self.0.ids) }
    }

    pub(crate) fn public_url(&self) -> Option<&str> {
        self.0.config.public_url.as_deref()
    }

    pub(crate) fn cursor_key(&self) -> &CursorKey {
        &self.0.config.cursor_key
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn ids(&self) -> &dyn IdSource {
        &*self.0.ids
    }

    /// The rules of a tenant's directory, as they are remembered.
    pub(crate) async fn rules_of(&self, tenant: TenantId) -> Result<Arc<Rules>, StoreError> {
        self.rules().get(self.store(), self.clock().now(), tenant).await
    }

    /// Remembered rules of tenants; see [`RulesCache::invalidate_all`].
    pub fn rules(&self) -> &RulesCache {
        &self.0.rules
    }

    pub(crate) fn guard(&self) -> &Guard {
        &self.0.guard
    }

    pub(crate) fn token_key(&self) -> &TokenKey {
        &self.0.config.authentication.token_key
    }

    /// Tokens of other issuers that were checked.
    pub(crate) fn verified(&self) -> &VerifiedTokens {
        &self.0.verified
    }

    /// The keys that somebody trusts, among them the one that a token names if there is any.
    pub(crate) async fn keys_of(&self, trust: &Trust, token: &str, now: OffsetDateTime) -> Arc<Keys> {
        if let Some(set) = &trust.jwks {
            return Arc::new(Keys::parse(set).unwrap_or_default());
        }
        let Some(url) = &trust.jwks_uri else { return Arc::default() };
        let header = jsonwebtoken::decode_header(token).ok();
        let id = header.and_then(|header| header.kid);
        self.0.keys.get(&*self.0.config.authentication.keys, url, (id.as_deref(), trust.algorithm), now).await
    }

    pub(crate) fn last_uses(&self) -> &LastUses {
        &self.0.last_uses
    }
}
