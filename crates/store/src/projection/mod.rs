//! The projection's half of the database: what must be looked at ([`claims`]), what is known of a target
//! ([`links`], [`org_units`]), how a try ended ([`record`]), and how all of it is shown ([`deliveries`]).
//!
//! Whoever claimed a delivery holds its *epoch*. Every write on behalf of the claim names that epoch and
//! touches nothing when a newer claim exists: a worker that lost its lease cannot write.

mod attempts;
mod budget;
mod call_days;
mod claims;
mod collect;
mod contacts;
mod deliveries;
mod effect_history;
mod erasure;
mod first_passwords;
mod group_choices;
mod group_guard;
mod group_loading;
pub(crate) mod group_marks;
mod group_members;
mod guards;
mod handovers;
mod held;
mod heritage;
mod invitations;
mod leaving;
mod link_list;
mod links;
mod loading;
mod member_batches;
mod memberships;
mod org_units;
mod overrides;
mod placements;
pub(crate) mod plans;
mod readings;
mod record;
mod refusals;
mod renames;
mod sealed;
mod standing_guards;
mod stops;
mod survey_pages;
mod survey_units;
mod surveys;
mod target_settings;
mod targets;
mod trips;

pub use attempts::{AcceptedQuery, AcceptedRow, Attempt, AttemptQuery, AttemptRow};
pub use claims::{Claim, ClaimKey, ClaimRequest};
pub use deliveries::{DeliveryCount, DeliveryItem, DeliveryQuery, MarkAgain, OldestWaiting};
pub use effect_history::{EffectDay, EffectHistory};
pub use first_passwords::SealedPassword;
pub use group_choices::{ChooseError, GroupChoice, GroupItem, GroupQuery};
pub use group_loading::{Candidate, GroupLink, LoadedHeldGroup, ProjectedGroup};
pub use guards::{Hold, Passage};
pub use handovers::{NewHandover, Successor};
pub use held::{HeldRow, PutOffRow};
pub use heritage::{HandedOver, HandoverQuery, HeadedUnit, Report};
pub use invitations::BeforeCreation;
pub use link_list::{LinkQuery, LinkRow, LinkState};
pub use links::Link;
pub use loading::{Handover, LoadedGroup, LoadedManager, LoadedUnit, LoadedUser, UserRow};
pub use member_batches::{MemberCounts, MemberRow, Movers, NamedMembers};
pub use overrides::{OverrideQuery, OverrideRow};
pub use placements::{Placement, WantedPlace};
pub use plans::{
    Applied, ApplyError, NewPlan, NewUndo, Permitted, PlanChange, PlanChangeQuery, PlanRow, PlanScope, PlannedRow,
    UndoScope, Wave,
};
pub use readings::{EffectReading, Protected};
pub use record::Recorded;
pub use renames::Rename;
pub use sealed::{Sealed, SealedCount};
pub use stops::{Refused, Stop};
pub use survey_pages::{SurveyPage, Surveyed};
pub use survey_units::{SurveyPlace, SurveyUnits};
pub use surveys::{Settled, Survey};
pub use target_settings::NewSettings;
pub use targets::{NewTarget, RulesRevision, Target, TargetMode};
pub use trips::{Closing, TripRow};

use crate::StoreError;
use rollcall_provisioning::ids::ResourceKind;

/// The kind kept in a row of deliveries, links or attempts.
fn kind_from(word: &str, resource: uuid::Uuid) -> Result<ResourceKind, StoreError> {
    ResourceKind::parse(word).ok_or_else(|| StoreError::corrupt("deliveries", "resource_kind", resource))
}
