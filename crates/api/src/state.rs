//! What every handler can reach.

use crate::auth::cache::CredentialCache;
use crate::auth::last_use::LastUses;
use crate::edge::Edge;
use rollcall_provisioning::connector::TargetSchema;
use rollcall_provisioning::ids::IdSource;
use rollcall_provisioning::time::Clock;
use rollcall_scim::schema::{ResourceType, builtin};
use rollcall_store::Store;
use std::sync::Arc;

/// What the HTTP side can be told.
#[derive(Clone)]
pub struct ApiConfig {
    /// The URL under which clients reach this server, without a path (`https://rollcall.example.com`); it goes into
    /// every `Location` and `$ref`. `None`: `http://` and the request's own `Host`.
    pub public_url: Option<String>,
    /// What a target allows for each attribute, so that it can be explained why somebody cannot be projected.
    pub target_schema: Arc<dyn TargetSchema>,
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct ApiState(Arc<Inner>);

struct Inner {
    store: Store,
    config: ApiConfig,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    types: ResourceTypes,
    credentials: CredentialCache,
    last_uses: LastUses,
}

impl ApiState {
    /// The state of one server. `ids` makes request ids.
    pub fn new(store: Store, config: ApiConfig, clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self(Arc::new(Inner {
            store,
            config,
            clock,
            ids,
            types: ResourceTypes::default(),
            credentials: CredentialCache::default(),
            last_uses: LastUses::default(),
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

    /// What a target allows for each attribute.
    pub fn target_schema(&self) -> &dyn TargetSchema {
        &*self.0.config.target_schema
    }

    /// The edge that all routes of this server pass.
    pub fn edge(&self) -> Edge {
        Edge { clock: Arc::clone(&self.0.clock), ids: Arc::clone(&self.0.ids) }
    }

    pub(crate) fn public_url(&self) -> Option<&str> {
        self.0.config.public_url.as_deref()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(crate) fn ids(&self) -> &dyn IdSource {
        &*self.0.ids
    }

    pub(crate) fn types(&self) -> &ResourceTypes {
        &self.0.types
    }

    pub(crate) fn last_uses(&self) -> &LastUses {
        &self.0.last_uses
    }
}

/// The resource types of the directory.
pub(crate) struct ResourceTypes([ResourceType; 2]);

impl Default for ResourceTypes {
    fn default() -> Self {
        Self([builtin::user_type(), builtin::group_type()])
    }
}

impl ResourceTypes {
    pub(crate) fn user(&self) -> &ResourceType {
        let [user, _] = &self.0;
        user
    }

    pub(crate) fn group(&self) -> &ResourceType {
        let [_, group] = &self.0;
        group
    }

    pub(crate) fn all(&self) -> &[ResourceType] {
        &self.0
    }
}
