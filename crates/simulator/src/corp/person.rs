//! People outside the organisation: DingTalk users who may have to consent, invitations, and those who have left
//! (pages A0161 and A0073).

use serde::{Deserialize, Serialize};

use crate::clock::{DAY_MS, same_day};
use crate::errcode::{
    Errcode, FIVE_UNCERTIFIED_CORPS, INVITED, MOBILE_TAKEN, OWNER_IS_MEMBER, Refusal, USER_NOT_FOUND,
};
use crate::mobile::Mobile;

use super::{Corp, ROOT, User};

/// How many uncertified organisations one person may belong to.
const UNCERTIFIED_CORP_LIMIT: u8 = 5;

/// What DingTalk knows about a number that is registered with it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Person {
    /// Belongs to another organisation that is certified: must consent.
    pub(crate) certified_corp: bool,
    /// Wants to be asked before a team adds them: must consent.
    pub(crate) privacy: bool,
    /// Joined and left this organisation today: must consent.
    pub(crate) left_today: bool,
    /// How many uncertified organisations the person belongs to; 5 give 40019.
    pub(crate) uncertified_corps: u8,
    /// The same person is a member here under another number: 60107.
    pub(crate) member_userid: Option<String>,
}

/// An invitation that waits for an answer. The person is in no list until then.
#[derive(Clone, Debug)]
pub(crate) struct Invitation {
    /// The member as asked for in the newest create call.
    pub(crate) draft: User,
    /// How often the person has been invited.
    pub(crate) times: u64,
}

/// Someone who has left.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Departure {
    /// Former user id.
    pub(crate) userid: String,
    /// Name when leaving.
    pub(crate) name: String,
    /// Number when leaving.
    pub(crate) mobile: Option<Mobile>,
    /// `oapi`: through the API. `delete`: by an admin.
    pub(crate) reason: &'static str,
    /// When the person had joined, in milliseconds since 1970.
    #[serde(skip)]
    pub(crate) joined_ms: i64,
    /// When the person left, in milliseconds since 1970.
    #[serde(skip)]
    pub(crate) left_ms: i64,
}

impl Corp {
    /// Refuses a number whose owner is already in, under this number or another, or may join no further organisation.
    pub(super) fn check_number_is_free(&self, mobile: &Mobile) -> Result<(), Refusal> {
        if self.users.by_mobile(mobile).is_some() {
            return Err(MOBILE_TAKEN.plain());
        }
        let Some(person) = self.people.get(mobile) else { return Ok(()) };
        if person.member_userid.as_ref().is_some_and(|userid| self.find_user(userid).is_some()) {
            return Err(OWNER_IS_MEMBER.plain());
        }
        if person.uncertified_corps >= UNCERTIFIED_CORP_LIMIT && self.organisation.auth_level == 0 {
            return Err(FIVE_UNCERTIFIED_CORPS.plain());
        }
        Ok(())
    }

    /// Sends an invitation if the owner of the number must consent; the refusal says so.
    pub(super) fn invite_if_needed(&mut self, draft: &User, now_ms: i64) -> Result<(), Refusal> {
        let Some(mobile) = draft.mobile.clone() else { return Ok(()) };
        if let Some(pending) = self.invitations.get_mut(&mobile) {
            let errcode = Errcode::of(self.switches.reinvite_errcode);
            if errcode == INVITED {
                *pending = Invitation { draft: draft.clone(), times: pending.times + 1 };
                self.committed();
            }
            return Err(errcode.plain());
        }
        if !self.must_consent(&mobile, now_ms) {
            return Ok(());
        }
        self.invitations.insert(mobile, Invitation { draft: draft.clone(), times: 1 });
        self.committed();
        Err(INVITED.plain())
    }

    fn must_consent(&self, mobile: &Mobile, now_ms: i64) -> bool {
        let registered =
            self.people.get(mobile).is_some_and(|person| person.certified_corp || person.privacy || person.left_today);
        let departure = self.last_departure.get(mobile).and_then(|&index| self.departures.get(index));
        let left_the_day_they_joined = departure.is_some_and(|departure| {
            same_day(departure.joined_ms, departure.left_ms) && now_ms.saturating_sub(departure.left_ms) < DAY_MS
        });
        registered || (left_the_day_they_joined && self.switches.same_day_rejoin_needs_consent)
    }

    /// The invited person consents and becomes a member. Fields that someone else has taken meanwhile are dropped, and
    /// departments that are gone are left out. Returns the user id.
    pub(crate) fn accept_invitation(&mut self, mobile: &Mobile, now_ms: i64) -> Result<String, Refusal> {
        let mut user = match self.invitations.get(mobile) {
            None => return Err(USER_NOT_FOUND.plain()),
            Some(_) if self.users.by_mobile(mobile).is_some() => return Err(MOBILE_TAKEN.plain()),
            Some(invitation) => invitation.draft.clone(),
        };
        if !self.switches.invitation_keeps_userid || self.find_user(&user.userid).is_some() {
            user.userid = self.unused_userid();
        }
        user.telephone.take_if(|telephone| self.users.by_telephone(telephone).is_some());
        user.email.take_if(|email| self.users.by_email(email).is_some());
        user.manager_userid.take_if(|manager| self.users.get(manager, false).is_none());
        user.dept_id_list.retain(|&id| self.departments.get(id).is_some());
        if user.dept_id_list.is_empty() {
            user.dept_id_list.push(ROOT);
        }
        user.drop_foreign_memberships();
        user.active = true;
        let userid = user.userid.clone();
        self.invitations.remove(mobile);
        if let Some(person) = self.people.get_mut(mobile) {
            person.left_today = false;
        }
        self.admit(user, now_ms);
        Ok(userid)
    }

    /// The invited person refuses. False: there is no such invitation.
    pub(crate) fn decline_invitation(&mut self, mobile: &Mobile) -> bool {
        let declined = self.invitations.remove(mobile).is_some();
        if declined {
            self.committed();
        }
        declined
    }

    pub(super) fn record_departure(&mut self, departure: Departure) {
        self.departed_ids.insert(departure.userid.clone());
        if let Some(mobile) = departure.mobile.clone() {
            self.last_departure.insert(mobile, self.departures.len());
        }
        self.departures.push(departure);
    }
}
