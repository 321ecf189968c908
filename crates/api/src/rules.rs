//! What a tenant has made of its directory: its resource types with its own schemas, and which source decides what.
//! Remembered for a few seconds.

use crate::limits::{RULES_CACHE_SIZE, RULES_TTL};
use crate::owners::Owners;
use crate::remembered::Remembered;
use rollcall_provisioning::ids::{ResourceKind, TenantId};
use rollcall_scim::schema::ResourceType;
use rollcall_store::owners::AttributeOwner;
use rollcall_store::schemas::{TenantSchema, extended};
use rollcall_store::{Store, StoreError};
use std::sync::{Arc, LazyLock};
use time::OffsetDateTime;

/// What a tenant starts with, and what nobody in particular sees.
static BUILT_IN: LazyLock<Arc<Rules>> = LazyLock::new(|| Arc::new(Rules::of(&[], &[])));

/// The rules of a tenant's directory.
#[derive(Debug)]
pub(crate) struct Rules {
    types: ResourceTypes,
    owners: [Owners; 2],
}

impl Rules {
    /// Those of a tenant that has made none.
    pub(crate) fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    fn of(schemas: &[TenantSchema], owners: &[AttributeOwner]) -> Self {
        let types = ResourceTypes::with(schemas);
        let owners = [
            Owners::of(types.user(), ResourceKind::User, owners),
            Owners::of(types.group(), ResourceKind::Group, owners),
        ];
        Self { types, owners }
    }

    /// Which source decides which attribute of a user.
    pub(crate) const fn user_owners(&self) -> &Owners {
        let [users, _] = &self.owners;
        users
    }

    /// Which source decides which attribute of a group.
    pub(crate) const fn group_owners(&self) -> &Owners {
        let [_, groups] = &self.owners;
        groups
    }

    /// Its resource types.
    pub(crate) const fn types(&self) -> &ResourceTypes {
        &self.types
    }
}

/// The resource types of a directory.
#[derive(Debug)]
pub(crate) struct ResourceTypes([ResourceType; 2]);

impl ResourceTypes {
    fn with(schemas: &[TenantSchema]) -> Self {
        Self([extended(schemas, ResourceKind::User), extended(schemas, ResourceKind::Group)])
    }

    pub(crate) const fn user(&self) -> &ResourceType {
        let [user, _] = &self.0;
        user
    }

    pub(crate) const fn group(&self) -> &ResourceType {
        let [_, group] = &self.0;
        group
    }

    pub(crate) const fn all(&self) -> &[ResourceType] {
        &self.0
    }
}

/// The rules of the tenants that asked lately.
#[derive(Debug)]
pub struct RulesCache(Remembered<TenantId, Rules>);

impl Default for RulesCache {
    fn default() -> Self {
        Self(Remembered::new(RULES_TTL, RULES_CACHE_SIZE))
    }
}

impl RulesCache {
    /// Forgets everything. To be called when somebody says that rules changed (`rollcall_store::wake::Wake::Rules`).
    pub fn invalidate_all(&self) {
        self.0.forget_all();
    }

    /// The rules of a tenant, from memory or from the store.
    pub(crate) async fn get(
        &self,
        store: &Store,
        now: OffsetDateTime,
        tenant: TenantId,
    ) -> Result<Arc<Rules>, StoreError> {
        let look_up = async {
            let (schemas, owners) = tokio::try_join!(store.schemas(tenant), store.attribute_owners(tenant))?;
            Ok::<_, StoreError>(Some(Rules::of(&schemas, &owners)))
        };
        let found = self.0.get(tenant, now, |_| true, look_up).await?;
        Ok(found.unwrap_or_else(Rules::built_in))
    }
}
