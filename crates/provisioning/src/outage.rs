//! When a target counts as away: five calls in a row without an answer, or half of the last twenty (operations, section 5.3),
//! made for more than one resource: what only one of them asks for may be more than the target can answer, and others go on.
//! One answer, whatever it says, and it is back.

use crate::ids::ResourceId;
use std::collections::VecDeque;

/// So many in a row.
const IN_A_ROW: usize = 5;
/// Or half of so many.
const WINDOW: usize = 20;

/// A call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Call {
    answered: bool,
    /// For which resource; `None` where it was for no single one.
    whose: Option<ResourceId>,
}

/// What became of the last calls to a target.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// The newest last.
    calls: VecDeque<Call>,
    /// It was found to be away, and nothing was answered since.
    away: bool,
}

impl Tally {
    /// Counts a call that was made for a resource, if it was for a single one.
    pub fn count(&mut self, answered: bool, whose: Option<ResourceId>) {
        if answered && self.away {
            // What was before says nothing of the target as it is now.
            *self = Self::default();
        }
        if self.calls.len() == WINDOW {
            self.calls.pop_front();
        }
        self.calls.push_back(Call { answered, whose });
        self.away = self.away || self.is_over();
    }

    /// Whether the target is away.
    pub const fn is_away(&self) -> bool {
        self.away
    }

    /// Whether the last call was answered; `false` when there was none.
    pub fn answers(&self) -> bool {
        self.calls.back().is_some_and(|call| call.answered)
    }

    fn is_over(&self) -> bool {
        let row: Vec<Call> = self.calls.iter().rev().take_while(|call| !call.answered).copied().collect();
        let lost: Vec<Call> = self.calls.iter().filter(|call| !call.answered).copied().collect();
        row.len() >= IN_A_ROW && are_of_several(&row)
            || self.calls.len() == WINDOW && lost.len() * 2 >= WINDOW && are_of_several(&lost)
    }
}

fn are_of_several(calls: &[Call]) -> bool {
    calls.iter().any(|call| call.whose.is_none() || calls.first().is_some_and(|first| first.whose != call.whose))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn resource(number: u128) -> ResourceId {
        ResourceId(Uuid::from_u128(number))
    }

    fn after(calls: impl IntoIterator<Item = bool>) -> Tally {
        let mut tally = Tally::default();
        calls.into_iter().zip(0..).for_each(|(answered, number)| tally.count(answered, Some(resource(number))));
        tally
    }

    #[test]
    fn five_in_a_row() {
        assert!(!after([false; 4]).is_away());
        assert!(after([false; 5]).is_away());
        assert!(!after([false, false, false, false, true, false]).is_away());
    }

    #[test]
    fn half_of_twenty() {
        let calls = |lost: usize| (0..20).map(move |call| call % 2 == 1 || call / 2 >= lost);
        assert!(!after(calls(9)).is_away());
        assert!(after(calls(10)).is_away());
        assert!(!after(calls(10).skip(1)).is_away(), "nineteen are too few to tell");
    }

    #[test]
    fn one_resource_alone_does_not_stop_the_others() {
        let mut tally = Tally::default();
        (0..30).for_each(|_| tally.count(false, Some(resource(7))));
        assert!(!tally.is_away());
        tally.count(false, Some(resource(8)));
        assert!(tally.is_away(), "another one is not answered either");
        let mut scan = Tally::default();
        (0..5).for_each(|_| scan.count(false, None));
        assert!(scan.is_away(), "a scan asks for many");
    }

    #[test]
    fn one_answer_and_it_is_back() {
        let mut tally = after([false; 30]);
        assert!(tally.is_away() && !tally.answers());
        tally.count(true, Some(resource(1)));
        assert!(!tally.is_away() && tally.answers());
        (2..6).for_each(|number| tally.count(false, Some(resource(number))));
        assert!(!tally.is_away(), "it begins anew");
        assert!(!Tally::default().answers());
    }
}
