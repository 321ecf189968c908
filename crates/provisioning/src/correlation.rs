//! Correlation: which account of an existing organisation is which person of the directory.
//!
//! Several keys are weighed together (operations, section 5.8). A pair is linked without asking only when two
//! independent keys agree and nothing speaks against it; as soon as one key points somewhere else, a person decides.

mod keys;
mod pairs;
mod weights;

pub use keys::{Key, Keys};
pub use pairs::{Correlated, MOST_SHARING, Pair, Settled, Verdict, correlate};
pub use weights::{Weights, WeightsError};
