//! The mappings of tenants, compiled once and used until another version counts or the tenant's schemas change.

use crate::error::ApiError;
use rollcall_provisioning::connector::TargetSchema;
use rollcall_provisioning::ids::TenantId;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::Store;
use rollcall_store::mappings::LoadError;
use rollcall_store::projection::RulesRevision;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Tenants whose mappings are kept at once. There may be hundreds of expressions in each.
const KEPT: usize = 256;

/// What can be said of every target without asking it.
#[derive(Clone)]
pub struct TargetFacts {
    /// The attributes that it takes, with their limits.
    pub schema: Arc<dyn TargetSchema>,
    /// The remote id of the department above all others.
    pub root_org_unit: String,
}

impl fmt::Debug for TargetFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetFacts").field("root_org_unit", &self.root_org_unit).finish_non_exhaustive()
    }
}

/// A mapping that counts.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The version; 0 is the document that all begin with.
    pub version: i32,
    /// The mapping.
    pub mapping: Arc<Mapping>,
}

/// The mappings of the tenants that asked lately.
#[derive(Debug, Default)]
pub(crate) struct CompiledMappings(Mutex<HashMap<TenantId, (RulesRevision, InForce)>>);

impl CompiledMappings {
    /// The mapping of a tenant that counts now.
    pub(crate) async fn get(
        &self,
        store: &Store,
        tenant: TenantId,
        schema: &dyn TargetSchema,
    ) -> Result<InForce, ApiError> {
        let revision = store.rules_revision(tenant).await?;
        if let Some((_, kept)) = self.kept().get(&tenant).filter(|(of, _)| *of == revision) {
            return Ok(kept.clone());
        }
        let made = compile(store, tenant, schema).await?;
        // What was compiled may be newer than the revision that was asked for; then it is compiled once more next time.
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(tenant, (revision, made.clone()));
        Ok(made)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<TenantId, (RulesRevision, InForce)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compiles the mapping of a tenant that counts now.
///
/// # Errors
/// 409 if it does not fit the tenant's schemas any more.
pub async fn compile(store: &Store, tenant: TenantId, schema: &dyn TargetSchema) -> Result<InForce, ApiError> {
    match store.compiled_mapping(tenant, schema).await {
        Ok((version, mapping)) => Ok(InForce { version, mapping: Arc::new(mapping) }),
        Err(LoadError::Store(error)) => Err(error.into()),
        Err(error @ LoadError::Unfit { .. }) => {
            Err(ApiError::Conflict(format!("{error}; save a version that fits, or give the schema back what it lost")))
        }
    }
}
