//! One connector per target, made when it is first needed and again when the target's settings change.

use rollcall_provisioning::connector::Connector;
use rollcall_provisioning::ids::TargetId;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::projection::{Claim, Target};
use rollcall_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Why a connector could not be made from a target's settings.
#[derive(Debug, thiserror::Error)]
#[error("the target's settings cannot be used: {0}")]
pub struct FactoryError(pub String);

/// Makes connectors. The binary knows the kinds of target; the loop does not.
pub trait ConnectorFactory: Send + Sync {
    /// A connector for this target.
    fn connect(&self, target: &Target) -> Result<Arc<dyn Connector>, FactoryError>;
}

/// A target ready for use.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) target: Target,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) mapping: Arc<Mapping>,
}

/// Connectors by target.
pub(crate) struct Connectors {
    store: Store,
    factory: Arc<dyn ConnectorFactory>,
    ready: Mutex<HashMap<TargetId, Ready>>,
    /// The default mapping, compiled when the first connector says what its target allows.
    standard: OnceLock<Arc<Mapping>>,
}

/// Why a target is not ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Factory(#[from] FactoryError),
    #[error("the target is gone")]
    Gone,
}

impl Connectors {
    pub(crate) fn new(store: Store, factory: Arc<dyn ConnectorFactory>) -> Self {
        Self { store, factory, ready: Mutex::default(), standard: OnceLock::new() }
    }

    /// Reads the targets again and keeps the connectors of those whose settings did not change, so that a changed
    /// secret counts at once and forgotten targets do not pile up. Called once per round of claims.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let targets = self.store.all_targets().await?;
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::with_capacity(targets.len());
        for target in targets {
            if let Some(old) = ready.remove(&target.id)
                && old.target.settings_revision == target.settings_revision
            {
                next.insert(target.id, Ready { target, ..old });
            }
        }
        *ready = next;
        Ok(())
    }

    /// The connector of a claim's target, never with older settings than those at the moment of the claim.
    pub(crate) async fn get(&self, claim: &Claim) -> Result<Ready, NotReady> {
        let fits = |ready: &Ready| ready.target.settings_revision >= claim.settings_revision;
        let kept = self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(&claim.target).cloned();
        if let Some(ready) = kept.filter(fits) {
            return Ok(ready);
        }
        self.make(claim.target).await
    }

    /// The connector of a target for work that is no delivery, with the settings that it has now.
    pub(crate) async fn of(&self, target: TargetId) -> Result<Ready, NotReady> {
        self.refresh().await?;
        let kept = self.ready.lock().unwrap_or_else(PoisonError::into_inner).get(&target).cloned();
        match kept {
            Some(ready) => Ok(ready),
            None => self.make(target).await,
        }
    }

    async fn make(&self, target: TargetId) -> Result<Ready, NotReady> {
        let targets = self.store.all_targets().await?;
        let target = targets.into_iter().find(|found| found.id == target).ok_or(NotReady::Gone)?;
        let connector = self.factory.connect(&target)?;
        let mapping = self.standard(&*connector)?;
        let id = target.id;
        let made = Ready { target, connector, mapping };
        let mut all = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        // Two tasks may come here at once; the first connector stays, since its token cache is shared.
        let kept = all.entry(id).or_insert_with(|| made.clone());
        if kept.target.settings_revision < made.target.settings_revision {
            *kept = made;
        }
        Ok(kept.clone())
    }

    fn standard(&self, connector: &dyn Connector) -> Result<Arc<Mapping>, FactoryError> {
        if let Some(mapping) = self.standard.get() {
            return Ok(Arc::clone(mapping));
        }
        let mapping = Mapping::standard(connector.schema()).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            FactoryError(format!("the mapping does not fit: {}", errors.join(" ")))
        })?;
        Ok(Arc::clone(self.standard.get_or_init(|| Arc::new(mapping))))
    }
}
