//! What a tenant has made of its directory: its resource types with its own schemas, and which source decides what. Remembered for a few seconds, so that
//! no request pays a round trip for it.

use crate::limits::RULES_TTL;
use crate::owners::Owners;
use rollcall_provisioning::ids::{ResourceKind, TenantId};
use rollcall_scim::schema::{Extension, ResourceType, builtin};
use rollcall_store::owners::AttributeOwner;
use rollcall_store::schemas::TenantSchema;
use rollcall_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
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
        let extended = |kind: ResourceKind, rt: ResourceType| {
            let own = schemas.iter().filter(|own| own.kind == kind);
            own.fold(rt, |rt, own| rt.with_extension(Extension::optional(own.schema.clone())))
        };
        Self([extended(ResourceKind::User, builtin::user_type()), extended(ResourceKind::Group, builtin::group_type())])
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
#[derive(Debug, Default)]
pub struct RulesCache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// Grows with each invalidation, so that a look-up begun before it does not bring back what it read.
    generation: u64,
    known: HashMap<TenantId, (Arc<Rules>, OffsetDateTime)>,
}

impl RulesCache {
    /// Forgets everything. To be called when somebody says that rules changed (`rollcall_store::wake::Wake::Rules`).
    pub fn invalidate_all(&self) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.known.clear();
    }

    /// The rules of a tenant, from memory or from the store.
    pub(crate) async fn get(
        &self,
        store: &Store,
        now: OffsetDateTime,
        tenant: TenantId,
    ) -> Result<Arc<Rules>, StoreError> {
        let generation = {
            let entries = self.entries();
            if let Some((rules, looked_up)) = entries.known.get(&tenant)
                && now - *looked_up < RULES_TTL
            {
                return Ok(Arc::clone(rules));
            }
            entries.generation
        };
        let (schemas, owners) = tokio::try_join!(store.schemas(tenant), store.attribute_owners(tenant))?;
        let rules = Arc::new(Rules::of(&schemas, &owners));
        let mut entries = self.entries();
        if entries.generation == generation {
            entries.known.insert(tenant, (Arc::clone(&rules), now));
        }
        Ok(rules)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
