//! Asking targets on behalf of the HTTP side and the command line. All calls take their places in the shared rate.

use crate::connector::Factory;
use rollcall_api::probe::{AskTarget, Asking, NotAsked, Point, PointState};
use rollcall_dingtalk::{Line, Verdict};
use rollcall_provisioning::connector::Connector as _;
use rollcall_store::projection::Target;
use std::time::Duration;

/// How long somebody who waits for an answer is kept waiting: less than a request may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks DingTalk.
pub(crate) struct Ask(pub(crate) Factory);

impl AskTarget for Ask {
    fn preflight<'a>(&'a self, target: &'a Target) -> Asking<'a, Vec<Point>> {
        Box::pin(async move {
            let dingtalk = self.0.dingtalk(target).map_err(|error| NotAsked(error.to_string()))?;
            let report = tokio::time::timeout(PATIENCE, dingtalk.check()).await.map_err(|_| too_slow())?;
            Ok(report.lines.into_iter().map(point).collect())
        })
    }

    fn has_account<'a>(&'a self, target: &'a Target, remote_id: &'a str) -> Asking<'a, bool> {
        Box::pin(async move {
            let dingtalk = self.0.dingtalk(target).map_err(|error| NotAsked(error.to_string()))?;
            let found = tokio::time::timeout(PATIENCE, dingtalk.account(remote_id)).await.map_err(|_| too_slow())?;
            let found = found.map_err(|error| NotAsked(format!("{} {}", error.message, error.advice)))?;
            Ok(found.is_some())
        })
    }
}

fn too_slow() -> NotAsked {
    NotAsked(format!("DingTalk did not answer within {} seconds. Try again later.", PATIENCE.as_secs()))
}

fn point(line: Line) -> Point {
    let state = match line.verdict {
        Verdict::Good => PointState::Ok,
        Verdict::Warning => PointState::Warning,
        Verdict::Bad => PointState::Problem,
        Verdict::Unknown => PointState::Unknown,
    };
    Point { check: line.subject.to_owned(), state, text: line.text }
}
