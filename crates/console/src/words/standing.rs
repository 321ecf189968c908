//! The states of a delivery, as screens show them: a shape, a word and a colour, so that none of them stands alone.

use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::delivery::DeliveryState::{
    Applying, Gone, Held, InStep, NeedsAttention, Pending, Retrying, Waiting,
};

/// States that a list can be limited to under one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The word in the address of a page.
    pub word: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What it means, in a sentence.
    pub meaning: &'static str,
    /// The states.
    pub states: &'static [DeliveryState],
}

/// The choices, in the order in which a change passes them.
pub const CHOICES: [Choice; 7] = [
    Choice {
        word: "waiting_to_be_sent",
        label: "Waiting",
        meaning: "Received, and not yet accepted by the target. It is sent without anybody's doing.",
        states: &[Pending, Applying, Retrying],
    },
    Choice { word: "in_step", label: "Applied", meaning: "The target has what the directory says.", states: &[InStep] },
    Choice {
        word: "waiting",
        label: "Waiting for others",
        meaning: "Something must come first: a department, a manager, an invitation that must be accepted.",
        states: &[Waiting],
    },
    Choice {
        word: "needs_attention",
        label: "Needs attention",
        meaning: "A person must act. The reason says what to do.",
        states: &[NeedsAttention],
    },
    Choice {
        word: "held",
        label: "Held",
        meaning: "The plan is known and was not sent: the target is in rehearsal, or a guard stopped it.",
        states: &[Held],
    },
    Choice { word: "gone", label: "Gone", meaning: "Left, and so has the entity at the target.", states: &[Gone] },
    Choice {
        word: "retrying",
        label: "Retrying",
        meaning: "Failed for a passing reason, and tried again by itself.",
        states: &[Retrying],
    },
];

/// The choice behind a word of an address. The words of single states work too.
pub fn choice(word: &str) -> Option<Choice> {
    CHOICES.into_iter().find(|choice| choice.word == word).or_else(|| {
        let states: &'static [DeliveryState] = match DeliveryState::parse(word)? {
            Pending => &[Pending],
            Applying => &[Applying],
            _ => return None,
        };
        let badge = Badge::of(*states.first()?);
        Some(Choice { word: badge.class, label: badge.label, meaning: "Received, and not yet accepted.", states })
    })
}

/// How one state is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Badge {
    /// The word of the state, for the style sheet.
    pub class: &'static str,
    /// A shape, for those who do not see the colour.
    pub shape: &'static str,
    /// The name.
    pub label: &'static str,
}

impl Badge {
    /// The badge of a state.
    pub const fn of(state: DeliveryState) -> Self {
        let (shape, label) = match state {
            Pending => ("○", "Waiting"),
            Applying => ("◐", "Being applied"),
            InStep => ("✓", "Applied"),
            Retrying => ("↻", "Retrying"),
            Waiting => ("◇", "Waiting for others"),
            NeedsAttention => ("▲", "Needs attention"),
            Held => ("■", "Held"),
            Gone => ("–", "Gone"),
        };
        Self { class: state.as_str(), shape, label }
    }

    /// The badge of a state that arrives as its word.
    pub fn of_word(word: &str) -> Self {
        let unknown = Self { class: "unknown", shape: "?", label: "Unknown" };
        DeliveryState::parse(word).map_or(unknown, Self::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_in_a_choice_and_looks_different() {
        for state in DeliveryState::ALL {
            assert!(CHOICES.iter().any(|choice| choice.states.contains(&state)), "{state:?}");
            assert!(choice(state.as_str()).is_some_and(|choice| choice.states == [state]), "{state:?}");
            let twins =
                DeliveryState::ALL.into_iter().filter(|other| Badge::of(*other).shape == Badge::of(state).shape);
            assert_eq!(twins.count(), 1, "the shape alone tells {state:?}");
        }
        assert_eq!(choice("synced"), None);
    }
}
