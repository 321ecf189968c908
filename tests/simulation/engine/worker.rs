//! One worker in the scheduler's hands: it is polled only when it is its turn.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use rollcall_reconciler::Reconciler;
use rollcall_store::projection::Claim;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

use super::gate::At;

/// Real time after which a worker that neither stands at a gate nor comes to an end hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a worker's turn ended.
pub(crate) enum Turn {
    /// It stands at a gate.
    Stands,
    /// There was nothing to claim.
    Nothing,
    /// What it had claimed came to its end.
    Done,
}

/// A worker.
pub(crate) struct Worker {
    reconciler: Arc<Reconciler>,
    work: Option<Pin<Box<dyn Future<Output = bool>>>>,
    claim: Arc<Mutex<Option<Claim>>>,
    /// The gate at which it stands.
    pub(crate) at: Option<At>,
    /// When it may go on, if it rests.
    pub(crate) until: i64,
    /// It gives no sign of life and does nothing.
    pub(crate) frozen: bool,
    /// Its connection to the database breaks with the next statement.
    pub(crate) cut: bool,
    /// What had happened when it last found nothing to claim.
    pub(crate) idle_since: Option<u64>,
    /// When its work began, by the run's clock.
    pub(crate) began: i64,
}

impl Worker {
    /// A worker that has just started.
    pub(crate) fn new(reconciler: Reconciler) -> Self {
        Self {
            reconciler: Arc::new(reconciler),
            work: None,
            claim: Arc::default(),
            at: None,
            until: 0,
            frozen: false,
            cut: false,
            idle_since: None,
            began: 0,
        }
    }

    /// What it is at.
    pub(crate) fn claim(&self) -> Option<Claim> {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it is in the middle of something.
    pub(crate) fn works(&self) -> bool {
        self.work.is_some()
    }

    /// Begins to go on with a survey.
    pub(crate) fn survey(&mut self, now: i64) {
        let reconciler = Arc::clone(&self.reconciler);
        self.began = now;
        self.work = Some(Box::pin(async move {
            reconciler.survey_on().await;
            true
        }));
    }

    /// Begins to look for something to do.
    pub(crate) fn begin(&mut self, now: i64) {
        let (reconciler, slot) = (Arc::clone(&self.reconciler), Arc::clone(&self.claim));
        let keep = move |claim| *slot.lock().unwrap_or_else(PoisonError::into_inner) = claim;
        self.began = now;
        self.work = Some(Box::pin(async move {
            // What it could not claim it claims later.
            let claimed = reconciler.claim_next().await;
            let Ok(Some(claim)) = claimed else { return claimed.is_err() };
            keep(Some(claim.clone()));
            reconciler.work_on(&claim).await;
            keep(None);
            true
        }));
    }

    /// Lets it go on to its next gate, or to the end.
    pub(crate) async fn turn(&mut self, stands: &mut UnboundedReceiver<At>) -> anyhow::Result<Turn> {
        let work = self.work.as_mut().context("it is at nothing")?;
        let ended = tokio::select! {
            biased;
            ended = work => ended,
            at = stands.recv() => {
                self.at = at;
                return Ok(Turn::Stands);
            }
            () = tokio::time::sleep(PATIENCE) => bail!("a worker hangs"),
        };
        self.work = None;
        Ok(if ended { Turn::Done } else { Turn::Nothing })
    }

    /// Drops what it is at, as its death would.
    pub(crate) fn die(&mut self, reconciler: Reconciler) {
        *self = Self::new(reconciler);
    }
}
