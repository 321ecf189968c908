//! The call log: what was called, for whom, and what came of it. Bounded, newest kept.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

/// One call to DingTalk's path space.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct CallRecord {
    /// Counts from 1 without gaps, in the order in which the calls were carried out.
    pub(crate) seq: u64,
    /// When the call arrived, in milliseconds since the start of the simulator.
    pub(crate) at_ms: u64,
    /// The API's path.
    pub(crate) api: String,
    /// App key, once the token or the credentials have told it.
    pub(crate) app: Option<String>,
    /// HTTP status. `None`: the connection was cut.
    pub(crate) status: Option<u16>,
    /// What the old host answered: 88's `sub_code` where there is one.
    pub(crate) errcode: Option<i64>,
    /// What the new host answered instead, when it refused.
    pub(crate) code: Option<String>,
    /// The person concerned.
    pub(crate) userid: Option<String>,
    /// The department concerned.
    pub(crate) dept_id: Option<i64>,
    /// The mobile number concerned.
    pub(crate) mobile: Option<String>,
    /// The call changed the organisation, whatever its caller was told.
    pub(crate) committed: bool,
    /// The call was refused by a rate limit.
    pub(crate) throttled: bool,
}

/// Sums for one API since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// All calls.
    pub(crate) calls: u64,
    /// Those refused by a rate limit.
    pub(crate) throttled: u64,
    /// Those that changed something.
    pub(crate) committed: u64,
    /// Those answered with anything but success, throttled ones included.
    pub(crate) failed: u64,
}

/// The newest calls and the sums over all calls.
#[derive(Debug)]
pub(crate) struct CallLog {
    capacity: usize,
    records: VecDeque<CallRecord>,
    last_seq: u64,
    tallies: BTreeMap<String, Tally>,
}

/// Which records to return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallQuery<'a> {
    /// Only records with a greater `seq`.
    pub(crate) after: u64,
    /// Only records of this API.
    pub(crate) api: Option<&'a str>,
    /// At most this many, oldest first.
    pub(crate) limit: usize,
}

impl CallLog {
    /// An empty log that remembers `capacity` calls.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, records: VecDeque::new(), last_seq: 0, tallies: BTreeMap::new() }
    }

    /// Adds a call; its `seq` is given here.
    pub(crate) fn add(&mut self, mut record: CallRecord) {
        self.last_seq += 1;
        record.seq = self.last_seq;
        let tally = self.tallies.entry(record.api.clone()).or_default();
        let succeeded = record.status == Some(200) && record.errcode.is_none_or(|errcode| errcode == 0);
        tally.calls += 1;
        tally.throttled += u64::from(record.throttled);
        tally.committed += u64::from(record.committed);
        tally.failed += u64::from(!succeeded);
        self.records.push_back(record);
        while self.records.len() > self.capacity {
            self.records.pop_front();
        }
    }

    /// The records asked for.
    pub(crate) fn find(&self, query: CallQuery<'_>) -> Vec<CallRecord> {
        let start = self.records.partition_point(|record| record.seq <= query.after);
        self.records
            .iter()
            .skip(start)
            .filter(|record| query.api.is_none_or(|api| record.api == api))
            .take(query.limit)
            .cloned()
            .collect()
    }

    /// The newest calls that changed something, newest first.
    pub(crate) fn newest_commits(&self, limit: usize) -> Vec<CallRecord> {
        self.records.iter().rev().filter(|record| record.committed).take(limit).cloned().collect()
    }

    /// The number of the newest call, 0 before the first.
    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The number of the oldest call still remembered.
    pub(crate) fn first_seq(&self) -> Option<u64> {
        self.records.front().map(|record| record.seq)
    }

    /// The sums, by API.
    pub(crate) fn tallies(&self) -> &BTreeMap<String, Tally> {
        &self.tallies
    }
}

#[cfg(test)]
mod tests {
    use super::{CallLog, CallQuery, CallRecord};

    #[test]
    fn the_log_keeps_the_newest() {
        let mut log = CallLog::new(3);
        for api in ["/a", "/b", "/a", "/b", "/a"] {
            log.add(CallRecord { api: api.to_owned(), status: Some(200), errcode: Some(0), ..CallRecord::default() });
        }
        let seqs = |after, api, limit| -> Vec<u64> {
            log.find(CallQuery { after, api, limit }).iter().map(|record| record.seq).collect()
        };
        assert_eq!(seqs(0, None, 10), [3, 4, 5]);
        assert_eq!(seqs(3, None, 1), [4]);
        assert_eq!(seqs(0, Some("/a"), 10), [3, 5]);
        assert_eq!((log.first_seq(), log.last_seq()), (Some(3), 5));
        assert_eq!(log.tallies().get("/a").map(|tally| (tally.calls, tally.failed)), Some((3, 0)));
    }
}
