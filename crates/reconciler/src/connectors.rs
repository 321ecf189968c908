//! One connector per target, made when it is first needed and again when the target's settings change.

use crate::watched::{Health, Watched};
use rollcall_provisioning::connector::Connector;
use rollcall_provisioning::ids::{ResourceId, TargetId};
use rollcall_provisioning::mapping::Mapping;
use rollcall_provisioning::plan::InitialPassword;
use rollcall_provisioning::stop::{Cause, Reach};
use rollcall_store::mappings::LoadError;
use rollcall_store::projection::{Claim, Target, TargetMode};
use rollcall_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Why a connector could not be made from a target's settings.
#[derive(Debug, thiserror::Error)]
#[error("the target's settings cannot be used: {0}")]
pub struct FactoryError(pub String);

/// Makes connectors. The binary knows the kinds of target; the loop does not.
pub trait ConnectorFactory: Send + Sync {
    /// A connector for this target.
    fn connect(&self, target: &Target) -> Result<Arc<dyn Connector>, FactoryError>;

    /// A first password for the account of a person at a target that keeps the sign-in.
    fn first_password(&self, target: &Target, user: ResourceId) -> Result<FirstPassword, FactoryError> {
        let _ = (target, user);
        Err(no_passwords())
    }

    /// Opens one that was sealed before.
    fn kept_password(&self, target: &Target, user: ResourceId, sealed: &[u8]) -> Result<InitialPassword, FactoryError> {
        let _ = (target, user, sealed);
        Err(no_passwords())
    }
}

fn no_passwords() -> FactoryError {
    FactoryError("accounts of this kind of target have no first passwords".to_owned())
}

/// A first password.
pub struct FirstPassword {
    /// The password.
    pub password: InitialPassword,
    /// The same, sealed, where an operator is to fetch it; `None` where the target tells it to the person.
    pub sealed: Option<Vec<u8>>,
}

/// A target ready for use.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) target: Target,
    pub(crate) connector: Arc<dyn Connector>,
    /// How it answers.
    pub(crate) health: Arc<Health>,
    pub(crate) mapping: Arc<Mapping>,
    /// The version of these rules.
    pub(crate) version: i32,
    pub(crate) factory: Arc<dyn ConnectorFactory>,
}

impl Ready {
    /// The same with a connector whose calls are counted as made for this resource.
    fn watched(self, whose: Option<ResourceId>) -> Self {
        let watched = Watched::new(Arc::clone(&self.connector), Arc::clone(&self.health), whose);
        Self { connector: Arc::new(watched), ..self }
    }
}

/// Connectors by target.
pub(crate) struct Connectors {
    store: Store,
    factory: Arc<dyn ConnectorFactory>,
    kept: Mutex<HashMap<TargetId, Kept>>,
    /// Rung when targets were read and a survey of one is under way.
    surveyed: Notify,
}

/// What is kept of a target.
struct Kept {
    target: Target,
    connector: Arc<dyn Connector>,
    health: Arc<Health>,
    /// `None` when the rules changed since.
    mapping: Option<(i32, Arc<Mapping>)>,
    /// Earlier versions that accounts are still there by, as they read now; `None` for one that does not fit any more.
    earlier: HashMap<i32, Option<Arc<Mapping>>>,
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

impl From<LoadError> for NotReady {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Store(error) => Self::Store(error),
            LoadError::Unfit { .. } => Self::Factory(FactoryError(error.to_string())),
        }
    }
}

impl Connectors {
    pub(crate) fn new(store: Store, factory: Arc<dyn ConnectorFactory>) -> Self {
        Self { store, factory, kept: Mutex::default(), surveyed: Notify::new() }
    }

    /// Reads the targets again and keeps the connectors of those whose settings did not change, so that a changed
    /// secret counts at once and forgotten targets do not pile up. Called once per round of claims.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        let targets = self.store.all_targets().await?;
        if targets.iter().any(|target| target.surveyed && target.mode != TargetMode::Paused) {
            self.surveyed.notify_one();
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::with_capacity(targets.len());
        for target in targets {
            if let Some(old) = kept.remove(&target.id)
                && old.target.settings_revision == target.settings_revision
            {
                let same = old.target.rules == target.rules;
                let (mapping, earlier) = if same { (old.mapping, old.earlier) } else { (None, HashMap::new()) };
                next.insert(target.id, Kept { target, connector: old.connector, health: old.health, mapping, earlier });
            }
        }
        *kept = next;
        Ok(())
    }

    /// Returns when a survey of a target is under way.
    pub(crate) async fn surveyed(&self) {
        self.surveyed.notified().await;
    }

    /// The connector and the rules of a claim's target, never older than those at the moment of the claim.
    pub(crate) async fn get(&self, claim: &Claim) -> Result<Ready, NotReady> {
        let fits = |target: &Target| {
            target.settings_revision >= claim.settings_revision && target.rules.mapping >= claim.mapping_version
        };
        let ready = match self.ready(claim.target, fits) {
            Some(ready) => ready,
            None => self.make(claim.target).await?,
        };
        Ok(ready.watched(Some(claim.resource)))
    }

    /// The connector of a target for work that is no delivery, with the settings that it has now.
    pub(crate) async fn of(&self, target: TargetId) -> Result<Ready, NotReady> {
        self.refresh().await?;
        let ready = match self.ready(target, |_| true) {
            Some(ready) => ready,
            None => self.make(target).await?,
        };
        Ok(ready.watched(None))
    }

    async fn make(&self, target: TargetId) -> Result<Ready, NotReady> {
        let targets = self.store.all_targets().await?;
        let target = targets.into_iter().find(|found| found.id == target).ok_or(NotReady::Gone)?;
        let (connector, health) = match self.connector(&target) {
            Some(known) => known,
            None => (self.factory.connect(&target)?, Arc::default()),
        };
        // Read after the target: rules that changed in between are newer than it says, and are read again.
        let (version, mapping) = self.store.compiled_mapping(target.tenant, connector.schema()).await?;
        let mapping = Arc::new(mapping);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Two tasks may come here at once; the first connector stays, since its token cache is shared.
        let (connector, health) = match kept.get(&target.id) {
            Some(first) if first.target.settings_revision == target.settings_revision => {
                (Arc::clone(&first.connector), Arc::clone(&first.health))
            }
            _ => (connector, health),
        };
        kept.insert(
            target.id,
            Kept {
                target: target.clone(),
                connector: Arc::clone(&connector),
                health: Arc::clone(&health),
                mapping: Some((version, Arc::clone(&mapping))),
                earlier: HashMap::new(),
            },
        );
        Ok(Ready { target, connector, health, mapping, version, factory: Arc::clone(&self.factory) })
    }

    /// An earlier version of the rules of a target; `None` when it fits schemas and target no longer.
    pub(crate) async fn earlier_mapping(
        &self,
        target: &Target,
        version: i32,
    ) -> Result<Option<Arc<Mapping>>, StoreError> {
        let connector = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(kept) = kept.get(&target.id) else { return Ok(None) };
            if let Some(mapping) = kept.earlier.get(&version) {
                return Ok(mapping.clone());
            }
            Arc::clone(&kept.connector)
        };
        let mapping = match self.store.compiled_version(target.tenant, version, connector.schema()).await {
            Ok(mapping) => Some(Arc::new(mapping)),
            Err(LoadError::Unfit { .. }) => None,
            Err(LoadError::Store(error)) => return Err(error),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.get_mut(&target.id).filter(|kept| kept.target.rules == target.rules) {
            kept.earlier.insert(version, mapping.clone());
        }
        Ok(mapping)
    }

    /// How a target answers, and whether it is stopped because it did not.
    pub(crate) fn health(&self, target: TargetId) -> Option<(Arc<Health>, bool)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { target, health, .. } = kept.get(&target)?;
        let stopped = target.stop(Reach::Target).is_some_and(|stop| stop.cause == Cause::Outage.as_str());
        Some((Arc::clone(health), stopped))
    }

    fn ready(&self, target: TargetId, fits: impl FnOnce(&Target) -> bool) -> Option<Ready> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { target, connector, health, mapping, .. } = kept.get(&target)?;
        let (version, mapping) = mapping.as_ref().filter(|_| fits(target))?;
        let (connector, health) = (Arc::clone(connector), Arc::clone(health));
        let (mapping, version, factory) = (Arc::clone(mapping), *version, Arc::clone(&self.factory));
        Some(Ready { target: target.clone(), connector, health, mapping, version, factory })
    }

    fn connector(&self, target: &Target) -> Option<(Arc<dyn Connector>, Arc<Health>)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get(&target.id).filter(|kept| kept.target.settings_revision == target.settings_revision)?;
        Some((Arc::clone(&kept.connector), Arc::clone(&kept.health)))
    }
}
