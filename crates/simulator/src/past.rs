//! What the organisation looked like a while ago, for reads that lag behind the writes.

use std::collections::VecDeque;

use crate::corp::Corp;

/// Former states, oldest first, each with the moment until which it was the present one.
#[derive(Debug, Default)]
pub(crate) struct Past {
    states: VecDeque<(u64, Corp)>,
}

impl Past {
    /// Keeps a state that has just been replaced, and drops those that no read can ask for any more.
    pub(crate) fn keep(&mut self, former: Corp, now_ms: u64, kept_ms: u64) {
        while self.states.front().is_some_and(|(until_ms, _)| now_ms.saturating_sub(*until_ms) > kept_ms) {
            self.states.pop_front();
        }
        self.states.push_back((now_ms, former));
    }

    /// The state of `age_ms` ago; none if nothing has changed since.
    pub(crate) fn seen_from(&mut self, now_ms: u64, age_ms: u64) -> Option<&mut Corp> {
        let state = self.states.iter_mut().find(|(until_ms, _)| until_ms.saturating_add(age_ms) > now_ms);
        state.map(|(_, corp)| corp)
    }
}
