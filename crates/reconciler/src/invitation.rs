//! Somebody whom the target has asked whether they agree: waiting for the answer, inviting them again, and telling people
//! when nobody answers. Whatever becomes of it, it is looked whether they have accepted, also late.

use crate::account::rejoins;
use crate::act::{Interrupt, Job};
use crate::report::day;
use crate::wish::Wish;
use rollcall_provisioning::delivery::{Outcome, WaitingFor};
use rollcall_provisioning::entity::{self, Observed};
use rollcall_provisioning::finding::{Finding, FindingKind};
use rollcall_provisioning::invitation::{Invited, Rules, Turn};
use rollcall_provisioning::mapping;
use rollcall_store::projection::{Link, LoadedUser, TargetMode};
use std::time::Duration;

/// An invitation that is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Awaited {
    pub(crate) invited: Invited,
    /// The number under which the person was invited.
    pub(crate) number: String,
}

impl Job<'_> {
    /// Whether the person is invited again now. In rehearsal nobody is, and it is not held either: whoever was invited
    /// before the rehearsal may accept in it.
    pub(crate) fn invites_now(&self, awaited: &Awaited) -> bool {
        let rules = Rules::of(&self.ready.target.settings);
        self.claim.mode == TargetMode::Live && rules.turn(&awaited.invited, self.now) == Turn::Invite
    }

    /// Invites the person again: there is no other way than to create the account once more.
    pub(crate) async fn invite_again(
        &self,
        wish: Wish,
        awaited: &Awaited,
        loaded: &LoadedUser,
    ) -> Result<Outcome, Interrupt> {
        let outcome = match Box::pin(self.fulfil(wish, Observed::Absent, loaded)).await {
            Err(Interrupt::Later(later)) => return Ok(self.awaits_and(&later.reason, awaited, loaded.link.as_ref())),
            outcome => outcome?,
        };
        let link = self.with_link_of_now(loaded).await?.link;
        let Some(invited) = link.as_ref().and_then(|link| link.invited.clone()) else { return Ok(outcome) };
        let awaited = Awaited { invited, number: awaited.number.clone() };
        Ok(match outcome {
            Outcome::Waiting { on: WaitingFor::Invitation(_), .. } => outcome,
            Outcome::Waiting { reason, .. } | Outcome::Held { reason, .. } => {
                self.awaits_and(&reason, &awaited, link.as_ref())
            }
            Outcome::NeedsAttention { findings, awaited: on, again: None, wants } => {
                let again = Some(self.look_again(&awaited.invited));
                Outcome::NeedsAttention { findings, awaited: on, again, wants }
            }
            other => other,
        })
    }

    /// What a person who was invited and has not answered means for the delivery.
    pub(crate) fn awaits(&self, awaited: &Awaited, link: Option<&Link>) -> Outcome {
        let Awaited { invited, number } = awaited;
        let (rules, again) = (Rules::of(&self.ready.target.settings), self.look_again(invited));
        if rules.turn(invited, self.now) == Turn::Unanswered {
            let findings = vec![unanswered(invited, number)];
            return Outcome::NeedsAttention { findings, awaited: None, again: Some(again), wants: Vec::new() };
        }
        let mut reason =
            "DingTalk has sent the person an invitation, which they must accept before the account exists. \
                          Ask them to accept it in DingTalk. They were "
                .to_owned();
        reason.push_str(&sent(invited));
        reason.push_str(". ");
        reason.push_str(&self.what_comes(invited, rules));
        if rejoins(link) {
            // Page A0161 of the documentation.
            reason.push_str(
                " They had an account before: whoever joined and was removed on the same day has to agree when they come \
                 back within 24 hours.",
            );
        }
        Outcome::Waiting { on: WaitingFor::Invitation(again), reason }
    }

    /// The same of somebody who cannot be invited again now, and why.
    fn awaits_and(&self, why_not: &str, awaited: &Awaited, link: Option<&Link>) -> Outcome {
        match self.awaits(awaited, link) {
            Outcome::Waiting { on, reason } => Outcome::Waiting { on, reason: format!("{reason}\n{why_not}") },
            other => other,
        }
    }

    /// What happens if nobody answers.
    fn what_comes(&self, invited: &Invited, rules: Rules) -> String {
        match (&invited.asked_by, rules.next(invited)) {
            (Some(by), _) => format!("They are to be invited once more, as {by} wants it."),
            (None, Some(next)) if next <= self.now => "They are to be invited again now.".to_owned(),
            (None, Some(next)) => format!(
                "If they do not answer they are invited again on {}; there are {} invitations at most.",
                day(next),
                rules.at_most
            ),
            (None, None) => "They are not invited again by themselves.".to_owned(),
        }
    }

    /// In which time it is looked whether the person has accepted, or they are invited again.
    pub(crate) fn look_again(&self, invited: &Invited) -> Duration {
        let look = invited.look_again(self.now);
        let next = Rules::of(&self.ready.target.settings).next(invited).filter(|next| *next > self.now);
        next.and_then(|next| Duration::try_from(next - self.now).ok()).map_or(look, |next| next.min(look))
    }
}

/// The person has left, and may still accept; it is looked in this time.
pub(crate) fn invited_leaver(again: Duration) -> Outcome {
    let reason = "The person has left, but was sent an invitation by DingTalk before, which can still be accepted. \
                  If that happens, the account is removed.";
    Outcome::Waiting { on: WaitingFor::Invitation(again), reason: reason.to_owned() }
}

/// Nobody has answered the last invitation.
fn unanswered(invited: &Invited, number: &str) -> Finding {
    let last: String = number.chars().skip(number.chars().count().saturating_sub(4)).collect();
    Finding {
        kind: FindingKind::Conflict,
        code: "invitation_unanswered".to_owned(),
        attribute: Some(entity::MOBILE.to_owned()),
        source_path: mapping::source_path(entity::MOBILE).map(str::to_owned),
        message: format!(
            "The person, whose number ends in {last}, was {}, and has not accepted DingTalk's invitation.",
            sent(invited)
        ),
        advice: "Ask the person to accept it in DingTalk, correct the number at the source, or let them be invited again \
                 (rollcall invite-again, or on their page of the console). It is looked at once a day, and an invitation \
                 that is accepted late counts all the same."
            .to_owned(),
    }
}

/// How often and when somebody was invited, after "was" or "were".
fn sent(invited: &Invited) -> String {
    match invited.times {
        1 => format!("invited on {}", day(invited.first_at)),
        times => {
            format!("invited {times} times, first on {} and last on {}", day(invited.first_at), day(invited.last_at))
        }
    }
}
