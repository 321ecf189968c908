//! Safety rules that set destructive changes aside until a person decides.
//!
//! An [`effect`](Effect) says what a step does that a person may want to be asked about; a [`Guard`] counts
//! one kind of effect and has a [`Limit`], which grows with the size of what it protects. Counts are taken over
//! the plan at hand, over a day and over a week, so that neither a landslide nor a slow bleed passes.

mod effect;
mod learning;
mod limit;
mod settings;
mod standing;

pub use effect::{Effect, attributes_with, effects};
pub use learning::{DAYS_NEEDED, Learnt, TIMES, learn};
pub use limit::{Limit, Reading, Trip, Window};
pub use settings::{Guard, Guards, SettingsError};
pub use standing::Standing;
