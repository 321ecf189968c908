//! What was done, and why some of it cannot be undone, in words.

use crate::entity::Attributes;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A step that was taken at a target.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Its number; grows.
    pub number: i64,
    /// When.
    pub at: OffsetDateTime,
    /// What was done: `update account`.
    pub action: &'a str,
    /// The attributes that it touched.
    pub attributes: &'a [String],
    /// What it touched as it was before; `None` when there was nothing, or nothing was kept.
    pub before: Option<&'a Attributes>,
    /// The same after it.
    pub after: Option<&'a Attributes>,
    /// Whether the answer was lost, so that nobody knows what it did.
    pub lost: bool,
    /// Whether it is to be undone.
    pub chosen: bool,
    /// Whose it was: a source, a plan.
    pub whose: &'a str,
}

impl Step<'_> {
    fn verb(&self) -> &str {
        self.action.split(' ').next().unwrap_or_default()
    }

    /// What it was taken on: `account`, `contact`.
    pub(super) fn entity(&self) -> &str {
        self.action.rsplit(' ').next().unwrap_or_default()
    }

    pub(super) fn is_creation(&self) -> bool {
        self.verb() == "create"
    }

    pub(super) fn is_removal(&self) -> bool {
        self.verb() == "delete"
    }

    /// Whether it touched an attribute.
    pub(super) fn touches(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|touched| touched == attribute)
    }

    fn told(&self) -> String {
        let at = self.at.format(&Rfc3339).unwrap_or_else(|_| self.at.to_string());
        format!("{} at {at} by {}", self.action, self.whose)
    }
}

/// Something that cannot be undone, or that is lost although the rest can be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cannot {
    /// Which attribute; `None`: the account or department as a whole.
    pub attribute: Option<String>,
    /// A word to switch on.
    pub code: &'static str,
    /// Why, and what to do, in sentences.
    pub message: String,
    /// When the step was taken that stands in the way.
    pub at: Option<OffsetDateTime>,
    /// Whose step that was.
    pub whose: Option<String>,
}

impl Cannot {
    fn new(attribute: Option<&str>, code: &'static str, message: impl Into<String>) -> Self {
        Self { attribute: attribute.map(str::to_owned), code, message: message.into(), at: None, whose: None }
    }

    fn because_of(step: &Step<'_>, attribute: Option<&str>, code: &'static str, message: impl Into<String>) -> Self {
        Self { at: Some(step.at), whose: Some(step.whose.to_owned()), ..Self::new(attribute, code, message) }
    }

    pub(super) fn replaced_later(step: &Step<'_>) -> Self {
        let message = format!(
            "Another account has taken its place since ({}), so what was done to the former one cannot be undone.",
            step.told()
        );
        Self::because_of(step, None, "conflict", message)
    }

    pub(super) fn made_anew(step: &Step<'_>) -> Self {
        let message =
            format!("The account was removed and made anew meanwhile ({}); its history is lost.", step.told());
        Self::because_of(step, None, "made_anew", message)
    }

    pub(super) fn department(step: &Step<'_>) -> Self {
        let message = "A department comes with the first who belongs to it and goes with the last: undo the moves of its \
                       people, or change their departments at the source.";
        Self::because_of(step, None, "follows_from_people", message)
    }

    pub(super) fn group(step: &Step<'_>) -> Self {
        let message = "Roles and chats, and who is in them, follow from groups, and no list of the members before is kept: \
                       change the group at the source, or decide by hand what it becomes (rollcall group). The messages of \
                       a chat that was removed are lost.";
        Self::because_of(step, None, "group", message)
    }

    pub(super) fn contact(step: &Step<'_>) -> Self {
        let message = "External contacts are kept by the rules alone: change the person at the source, or the rules.";
        Self::because_of(step, None, "contact", message)
    }

    pub(super) fn left(step: &Step<'_>) -> Self {
        let message = "The person has left the directory, which decides who has an account: make them active at the source. \
                       The history and the chats of an account that was removed do not come back.";
        Self::because_of(step, None, "person_left", message)
    }

    pub(super) fn left_out(step: &Step<'_>, why: Option<&str>) -> Self {
        let message = format!(
            "The person has no account because the rules do not want one{}: go back to an earlier version of the mapping \
             (rollcall mapping revert), or change the rule. The history and the chats of the account that was removed do \
             not come back.",
            why.map_or_else(String::new, |why| format!(" ({})", why.trim_end_matches('.')))
        );
        Self::because_of(step, None, "left_out", message)
    }

    pub(super) fn there_again(step: &Step<'_>) -> Self {
        let message =
            "An account is there again. The history and the chats of the one that was removed do not come back.";
        Self::because_of(step, None, "there_again", message)
    }

    pub(super) fn history_stays_lost() -> Self {
        let message = "A new account is made. The history and the chats of the one that was removed do not come back.";
        Self::new(None, "history_lost", message)
    }

    pub(super) fn lost_with_the_account(later: usize) -> Vec<Self> {
        let lost = "The account goes, and with it its history and its chats in DingTalk; that cannot be taken back.";
        let mut all = vec![Self::new(None, "history_lost", lost)];
        if later > 0 {
            let message = format!("{later} later changes of the account go with it.");
            all.push(Self::new(None, "later_changes", message));
        }
        all
    }

    pub(super) fn goes(why: &str) -> Self {
        let message = format!(
            "The account is to go by the rules ({}), so nothing of it is taken back; decide about that first.",
            why.trim_end_matches('.')
        );
        Self::new(None, "account_goes", message)
    }

    pub(super) fn newer_waits(attribute: &str, wanted: Option<&Value>) -> Self {
        let message = format!(
            "Source or rules want {} by now, which waits for a decision; it is not sent while the earlier value is held.",
            told(wanted)
        );
        Self::new(Some(attribute), "newer_waits", message)
    }

    pub(super) fn other_waits(attribute: &str, wanted: Option<&Value>) -> Self {
        let message = format!(
            "Source or rules want {} by now, which waits for a decision; apply that first, or put it right at the source.",
            told(wanted)
        );
        Self::new(Some(attribute), "conflict", message)
    }

    pub(super) fn in_doubt() -> Self {
        let message = "It is not known what the target has, because a call is under way or its answer was lost; make another \
                       plan in a moment.";
        Self::new(None, "in_doubt", message)
    }

    pub(super) fn absent() -> Self {
        Self::new(None, "no_account", "There is nothing at the target any more that it could be undone at.")
    }

    pub(super) fn touched_later(attribute: &str, step: &Step<'_>) -> Self {
        let message = format!("A later change has touched it: {}.", step.told());
        Self::because_of(step, Some(attribute), "conflict", message)
    }

    pub(super) fn not_kept(attribute: Option<&str>, step: &Step<'_>) -> Self {
        let message = format!("What there was before is not kept ({}).", step.told());
        Self::because_of(step, attribute, "not_kept", message)
    }

    pub(super) fn answer_lost(attribute: &str, step: &Step<'_>) -> Self {
        let message = format!("The answer to the call was lost, so it is not known what it changed ({}).", step.told());
        Self::because_of(step, Some(attribute), "answer_lost", message)
    }

    pub(super) fn changed_by_others(attribute: &str, now: Option<&Value>) -> Self {
        let message = format!("The target has {} by now, which Rollcall did not write.", told(now));
        Self::new(Some(attribute), "conflict", message)
    }

    pub(super) fn unchangeable(attribute: &str) -> Self {
        let message = format!(
            "The {attribute} of an existing account cannot be changed by an application; ask the person to change it in \
             DingTalk."
        );
        Self::new(Some(attribute), "unchangeable", message)
    }

    pub(super) fn unclearable(attribute: &str) -> Self {
        let message =
            format!("There was no value before, and the target has no way to clear the {attribute}; clear it by hand.");
        Self::new(Some(attribute), "unclearable", message)
    }

    pub(super) fn account_gone(attribute: &str, remote_id: &str) -> Self {
        let message = format!("The account {remote_id}, which stood there before, is not at the target any more.");
        Self::new(Some(attribute), "account_gone", message)
    }

    pub(super) fn unit_gone(attribute: &str, remote_id: &str) -> Self {
        let message =
            format!("The department {remote_id}, which stood there before, is gone, and nobody knows its name.");
        Self::new(Some(attribute), "department_gone", message)
    }
}

/// A value in a sentence.
fn told(value: Option<&Value>) -> String {
    value.map_or_else(|| "no value".to_owned(), ToString::to_string)
}
