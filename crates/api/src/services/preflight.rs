//! The preflight of a target: whether its application may do what is needed, point by point.
//!
//! Each costs calls, so one is shown to everybody who asks within a minute, and whoever asks meanwhile waits for the one that
//! is under way.

use crate::error::ApiError;
use crate::probe::{NotAsked, Point};
use crate::remembered::Remembered;
use crate::services::targets::chosen;
use crate::state::ApiState;
use rollcall_provisioning::ids::{TargetId, TenantId};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// For how long a preflight is shown again.
const SHOWN_FOR: Duration = Duration::from_mins(1);
/// How many are kept.
const KEPT: usize = 256;

/// Preflights that were made lately; the settings of a target are part of what a preflight is about.
pub(crate) type Preflights = Remembered<(TargetId, i64), PreflightView>;

pub(crate) fn preflights() -> Preflights {
    Remembered::new(SHOWN_FOR, KEPT)
}

/// What the application of a target may do.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PreflightView {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// When it was looked at. It is not looked at again within a minute.
    #[serde(with = "time::serde::rfc3339")]
    pub looked_at: OffsetDateTime,
    /// The worst of all points: `ok`, `warning`, `problem` or `unknown`.
    #[schema(example = "warning")]
    pub state: &'static str,
    /// The points. When the credentials are refused it is only that one.
    pub points: Vec<PointView>,
}

/// One point.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PointView {
    /// What was looked at.
    #[schema(example = "contact range")]
    pub check: String,
    /// `ok`, `warning` (something will be missing), `problem` (Rollcall cannot do its work) or `unknown` (it could not be found
    /// out now).
    #[schema(example = "ok")]
    pub state: &'static str,
    /// What was found, and what to do. Never a secret.
    pub text: String,
}

impl From<Point> for PointView {
    fn from(point: Point) -> Self {
        Self { check: point.check, state: point.state.as_str(), text: point.text }
    }
}

/// Looks at what the application of a target may do, or shows what was found less than a minute ago.
///
/// # Errors
/// 404; 409 when the target cannot be asked at all, with the reason.
pub async fn read(state: &ApiState, tenant: TenantId, id: TargetId) -> Result<Arc<PreflightView>, ApiError> {
    let target = chosen(state.store(), tenant, id).await?;
    let now = state.clock().now();
    let look = async {
        let points = state.targets().preflight(&target).await.map_err(|NotAsked(why)| {
            ApiError::Conflict(format!("The target {} could not be asked: {why}", target.name))
        })?;
        let points: Vec<PointView> = points.into_iter().map(PointView::from).collect();
        let worst = ["problem", "unknown", "warning"].into_iter();
        let worst = worst.into_iter().find(|word| points.iter().any(|point| point.state == *word)).unwrap_or("ok");
        let (target_id, target) = (id.0, target.name.clone());
        Ok::<_, ApiError>(Some(PreflightView { target_id, target, looked_at: now, state: worst, points }))
    };
    let found = state.preflights().get((id, target.settings_revision), now, |_| true, look).await?;
    found.ok_or(ApiError::Broken)
}
