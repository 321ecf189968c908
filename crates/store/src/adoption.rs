//! Adoption of an organisation that is there already: scans of it ([`scans`], [`walk`]), who is who ([`candidates`]),
//! what was decided ([`linking`], [`decisions`]), links that people make and break ([`by_hand`], [`breaking`]), and what
//! must not be touched ([`marks`]).
//!
//! Nothing here changes anything at a target. A link that is made here says only which account is which person; whatever
//! differs then is held until a plan permits it.

mod breaking;
mod by_hand;
mod candidates;
mod decisions;
mod linking;
mod marks;
mod scans;
mod shown;
mod walk;

pub use breaking::{Parting, Rematching};
pub use by_hand::{LinkError, NewLink};
pub use candidates::{Correlation, FoundAccount, NewPair};
pub use decisions::{BulkRule, Decided, Decision, DecisionError};
pub use linking::Linking;
pub use marks::{AgainstIt, Lifting, Mark, MarkKind, MarkedThing, NewMark};
pub use scans::{ScanClaim, ScanFailure, ScanPhase, StartError};
pub use shown::{Bucket, Candidate, CandidateQuery, Coverage, Scan};
pub use walk::{FoundUnit, ScanStep, UnitToRead, WalkEnd};
