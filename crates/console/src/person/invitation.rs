//! An invitation that a person has not accepted, in words, and the form for one more.

use crate::words::age::{When, moment};
use rollcall_api::services::invitations::InvitationView;
use time::OffsetDateTime;
use uuid::Uuid;

/// An invitation that is open.
pub(super) struct Invitation {
    /// When the person was invited first.
    pub(super) first: When,
    /// How many invitations there were, and what comes if nobody answers.
    pub(super) told: String,
    /// The target that the form for one more names; `None` where it is too early, or somebody has asked already.
    pub(super) again: Option<String>,
}

impl Invitation {
    /// `target` is the one that may send another; `None` for a person who is to have no account any more.
    pub(super) fn of(open: &InvitationView, target: Option<Uuid>, now: OffsetDateTime) -> Self {
        let sent = match open.times {
            1 => String::new(),
            times => format!("{times} invitations were sent, the last one on {}.", moment(open.last_at)),
        };
        let comes = match (&open.asked_by, open.next_at) {
            (Some(by), _) => format!("{by} wants one more, which is sent as soon as the target is live."),
            (None, Some(next)) => format!("The next one follows on {}, of {} at most.", moment(next), open.at_most),
            (None, None) => "No other one follows by itself.".to_owned(),
        };
        let target = target.filter(|_| open.asked_by.is_none());
        let too_early = if target.is_some() && open.again_from > now {
            format!("One more can be asked for from {} on.", moment(open.again_from))
        } else {
            String::new()
        };
        let told = [sent, comes, too_early].into_iter().filter(|sentence| !sentence.is_empty());
        let told = told.collect::<Vec<_>>().join(" ");
        let again = target.filter(|_| open.again_from <= now).map(|target| target.to_string());
        Self { first: When::past(open.first_at, now), told, again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::NOW;
    use time::Duration;

    #[test]
    fn it_says_how_many_there_were_and_what_comes() {
        let open = InvitationView {
            first_at: NOW - Duration::days(8),
            last_at: NOW - Duration::days(1),
            times: 2,
            at_most: 3,
            next_at: Some(NOW + Duration::days(6)),
            asked_by: None,
            again_from: NOW,
        };
        let of = |open: &InvitationView| Invitation::of(open, Some(Uuid::nil()), NOW);
        let told = of(&open).told;
        assert!(told.contains("2 invitations were sent") && told.contains("of 3 at most"), "{told}");
        assert_eq!(of(&open).first.distance, "8 days ago");
        assert_eq!(Invitation::of(&open, None, NOW).again, None, "nobody is invited who has left");
        for (open, may, part) in [
            (InvitationView { next_at: None, ..open.clone() }, true, "No other one follows by itself."),
            (InvitationView { again_from: NOW + Duration::HOUR, ..open.clone() }, false, "can be asked for from"),
            (InvitationView { asked_by: Some("ann".to_owned()), ..open }, false, "ann wants one more"),
        ] {
            let shown = of(&open);
            assert!(shown.told.contains(part), "{}", shown.told);
            assert_eq!(shown.again.is_some(), may, "{part}");
        }
    }
}
