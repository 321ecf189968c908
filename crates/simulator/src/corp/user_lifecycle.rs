//! Creating, changing, deleting and activating members (pages A0055 to A0058 and A0161).

use crate::clock::DAY_MS;
use crate::errcode::{
    BUSY, DEPARTMENT_FULL, DEPARTMENT_NOT_FOUND, EMAIL_TAKEN, Errcode, HEAD_COUNT_LIMIT, HR_OWNS_POSITION,
    INVALID_DEPARTMENT_ID, INVALID_DEPARTMENT_LIST, INVALID_MANAGER, INVALID_MOBILE, LOGIN_MOBILE_DIFFERS,
    MOBILE_TAKEN, MOBILE_UNCHANGEABLE, NEW_MOBILE_REGISTERED, NO_MOBILE, Refusal, TELEPHONE_TAKEN, USER_NOT_FOUND,
    USERID_TAKEN, WEEKLY_ADD_LIMIT,
};
use crate::mobile::Mobile;
use crate::params::Params;
use crate::random::Random;

use super::person::Departure;
use super::user::User;
use super::user_fields::{Reading, check_userid, forced_fields};
use super::{Actor, Corp};

/// Most departments of one call, on create (page A0055) and on update (the official SDK's limit).
const DEPARTMENTS_ON_CREATE: usize = 100;
const DEPARTMENTS_ON_UPDATE: usize = 300;

/// Length of a week.
const WEEK_MS: i64 = 7 * DAY_MS;

impl Corp {
    /// Creates a member and returns its id, or sends an invitation, which the refusal tells (40103).
    pub(crate) fn create_user(&mut self, params: &Params, actor: Actor, now_ms: i64) -> Result<String, Refusal> {
        params.required_text("name")?;
        let mut user = User::default();
        let requested_id = params.text("userid")?.filter(|userid| !userid.is_empty());
        if let Some(userid) = &requested_id {
            check_userid(userid, self.switches.userid_strict_charset)?;
        }
        user.exclusive = self.new_enterprise_account(params)?;
        if user.exclusive.is_none() {
            user.mobile = Some(self.required_mobile(params)?);
        }
        let reading = self.reading(params);
        reading.write_attributes(&mut user)?;
        user.dept_id_list =
            reading.departments(DEPARTMENTS_ON_CREATE)?.ok_or_else(|| INVALID_DEPARTMENT_LIST.about("dept_id_list"))?;
        reading.write_memberships(&mut user)?;
        self.check_departments(&user.dept_id_list, &[])?;
        self.check_userid_is_free(requested_id.as_deref())?;
        if let Some(mobile) = &user.mobile {
            self.check_number_is_free(mobile)?;
        }
        user.userid = requested_id.unwrap_or_else(|| self.unused_userid());
        user.manager_userid = params.text("manager_userid")?.filter(|manager| !manager.is_empty());
        self.check_against_others(&mut user)?;
        self.check_head_count(now_ms)?;
        if actor == Actor::Api {
            self.invite_if_needed(&user, now_ms)?;
        }
        let userid = user.userid.clone();
        self.admit(user, now_ms);
        Ok(userid)
    }

    /// Changes the attributes that the call names, all or none.
    pub(crate) fn update_user(&mut self, params: &Params, actor: Actor) -> Result<(), Refusal> {
        let before = self.find_user(&params.required_text("userid")?).ok_or_else(|| USER_NOT_FOUND.plain())?.clone();
        let mut user = before.clone();
        let reading = self.reading(params);
        reading.write_attributes(&mut user)?;
        match reading.departments(DEPARTMENTS_ON_UPDATE)? {
            Some(dept_id_list) => user.dept_id_list = dept_id_list,
            None if user.exclusive.is_some() => return Err(INVALID_DEPARTMENT_LIST.about("dept_id_list")),
            None => {}
        }
        user.drop_foreign_memberships();
        reading.write_memberships(&mut user)?;
        self.check_departments(&user.dept_id_list, &before.dept_id_list)?;
        self.change_enterprise_account(&mut user, params)?;
        self.change_mobile(&mut user, params, actor)?;
        let forced = forced_fields(params)?;
        match params.text("manager_userid")?.filter(|manager| !manager.is_empty()) {
            Some(manager) => user.manager_userid = Some(manager),
            None if forced.iter().any(|name| name == "manager_userid") => user.manager_userid = None,
            None => {}
        }
        let unbinds_mailbox = forced.iter().any(|name| name == "org_email") && user.exclusive.is_some();
        if unbinds_mailbox && params.text("org_email")?.unwrap_or_default().is_empty() {
            user.org_email = None;
        }
        let moved = user.title != before.title || user.dept_id_list != before.dept_id_list;
        if actor == Actor::Api && self.organisation.hr_position_management && moved {
            return Err(HR_OWNS_POSITION.plain());
        }
        self.check_against_others(&mut user)?;
        self.committed();
        for dept_id in before.dept_id_list.iter().filter(|id| !user.dept_id_list.contains(id)) {
            self.departments.forget_member(*dept_id, &user.userid);
        }
        user.modified = self.revision;
        self.users.put(user);
        Ok(())
    }

    /// Removes a member. Nobody keeps them as manager, of people or departments.
    pub(crate) fn delete_user(&mut self, userid: &str, actor: Actor, now_ms: i64) -> Result<(), Refusal> {
        let user = self.find_user(userid).ok_or_else(|| USER_NOT_FOUND.plain())?.clone();
        if actor == Actor::Api && user.admin_level == 1 {
            return Err(Errcode::of(self.switches.main_admin_delete_errcode).about("main administrator"));
        }
        self.committed();
        for report in self.users.reports(&user.userid) {
            if let Some(mut report) = self.find_user(&report).cloned() {
                report.manager_userid = None;
                self.users.put(report);
            }
        }
        for &dept_id in &user.dept_id_list {
            self.departments.forget_member(dept_id, &user.userid);
        }
        self.roles.forget_user(&user.userid);
        self.chats.forget_user(&user.userid);
        self.users.remove(&user.userid);
        self.record_departure(Departure {
            userid: user.userid,
            name: user.name,
            mobile: user.mobile,
            reason: if actor == Actor::Api { "oapi" } else { "delete" },
            joined_ms: user.joined_ms,
            left_ms: now_ms,
        });
        Ok(())
    }

    /// The person logs in for the first time, which binds the mobile number for good.
    pub(crate) fn log_in(&mut self, userid: &str) -> Result<(), Refusal> {
        let mut user = self.find_user(userid).ok_or_else(|| USER_NOT_FOUND.plain())?.clone();
        user.active = true;
        self.committed();
        self.users.put(user);
        Ok(())
    }

    /// Sets what only an admin can set in the console: 0 nothing, 1 main administrator, 2 sub-administrator.
    /// There is one main administrator: a new one takes the place of the former.
    pub(crate) fn set_admin_level(&mut self, userid: &str, level: u8) -> Result<(), Refusal> {
        let mut user = self.find_user(userid).ok_or_else(|| USER_NOT_FOUND.plain())?.clone();
        user.admin_level = level;
        let former = self.users.iter().find(|former| former.admin_level == 1 && former.userid != user.userid).cloned();
        self.committed();
        if let Some(former) = former.filter(|_| level == 1) {
            self.users.put(User { admin_level: 0, ..former });
        }
        self.users.put(user);
        Ok(())
    }

    /// Sets which departments a sub-administrator manages.
    pub(crate) fn set_admin_departments(&mut self, userid: &str, dept_ids: Vec<i64>) -> Result<(), Refusal> {
        let mut user = self.find_user(userid).ok_or_else(|| USER_NOT_FOUND.plain())?.clone();
        self.check_departments(&dept_ids, &dept_ids)?;
        user.admin_dept_ids = dept_ids.into_iter().collect();
        self.committed();
        self.users.put(user);
        Ok(())
    }

    /// Takes a checked draft in as a member.
    pub(super) fn admit(&mut self, mut user: User, now_ms: i64) {
        self.committed();
        // The same person keeps the same unionid, whenever they join.
        let identity = user.mobile.as_ref().map_or_else(|| user.userid.clone(), ToString::to_string);
        user.unionid = Random::of_text(self.seed, &identity).unionid();
        user.joined_ms = now_ms;
        user.created = self.revision;
        user.modified = self.revision;
        self.users.put(user);
    }

    /// A made-up user id that nobody has.
    pub(super) fn unused_userid(&mut self) -> String {
        loop {
            let userid = self.random.userid();
            if self.find_user(&userid).is_none() && self.external.get(&userid).is_none() {
                return userid;
            }
        }
    }

    fn reading<'a>(&'a self, params: &'a Params) -> Reading<'a> {
        Reading { params, organisation: &self.organisation, empty_clears: self.switches.empty_string_clears }
    }

    fn required_mobile(&self, params: &Params) -> Result<Mobile, Refusal> {
        let text = params.text("mobile")?.filter(|mobile| !mobile.is_empty()).ok_or_else(|| NO_MOBILE.plain())?;
        Mobile::parse(&text, self.organisation.registered_abroad).ok_or_else(|| INVALID_MOBILE.about("mobile"))
    }

    /// Sending the same number is harmless; another one is always refused to an app, for one of four reasons.
    fn change_mobile(&self, user: &mut User, params: &Params, actor: Actor) -> Result<(), Refusal> {
        let Some(text) = params.text("mobile")?.filter(|mobile| !mobile.is_empty() && user.exclusive.is_none()) else {
            return Ok(());
        };
        let mobile =
            Mobile::parse(&text, self.organisation.registered_abroad).ok_or_else(|| INVALID_MOBILE.about("mobile"))?;
        if user.mobile.as_ref() == Some(&mobile) {
            return Ok(());
        }
        let taken = self.users.by_mobile(&mobile).is_some();
        match actor {
            Actor::Api if user.active => Err(LOGIN_MOBILE_DIFFERS.plain()),
            _ if taken => Err(MOBILE_TAKEN.plain()),
            Actor::Api if self.people.contains_key(&mobile) => Err(NEW_MOBILE_REGISTERED.plain()),
            Actor::Api => Err(MOBILE_UNCHANGEABLE.plain()),
            Actor::Console => {
                user.mobile = Some(mobile);
                Ok(())
            }
        }
    }

    fn check_userid_is_free(&self, userid: Option<&str>) -> Result<(), Refusal> {
        let Some(userid) = userid else { return Ok(()) };
        let departed = self.switches.departed_userid_is_taken && self.departed_ids.contains(userid);
        if departed || self.find_user(userid).is_some() { Err(USERID_TAKEN.plain()) } else { Ok(()) }
    }

    fn check_departments(&self, dept_ids: &[i64], former: &[i64]) -> Result<(), Refusal> {
        for &dept_id in dept_ids {
            if dept_id < 1 {
                return Err(INVALID_DEPARTMENT_ID.about(dept_id.to_string()));
            }
            if self.departments.get(dept_id).is_none() {
                return Err(DEPARTMENT_NOT_FOUND.about(dept_id.to_string()));
            }
            let limit = self.organisation.department_member_limit;
            let full = limit.is_some_and(|limit| self.users.members(dept_id).count() >= limit);
            if full && !former.contains(&dept_id) {
                return Err(DEPARTMENT_FULL.about(dept_id.to_string()));
            }
        }
        Ok(())
    }

    /// What must not clash with other members, and the manager, who must be one. The manager's id is stored in its
    /// own spelling.
    fn check_against_others(&self, user: &mut User) -> Result<(), Refusal> {
        let another = |holder: Option<&User>| holder.is_some_and(|holder| holder.userid != user.userid);
        if user.telephone.as_ref().is_some_and(|telephone| another(self.users.by_telephone(telephone))) {
            return Err(TELEPHONE_TAKEN.plain());
        }
        if user.email.as_ref().is_some_and(|email| another(self.users.by_email(email))) {
            return Err(EMAIL_TAKEN.plain());
        }
        if let Some(manager) = &mut user.manager_userid {
            let found = self.users.get(manager, self.switches.userid_ignores_case);
            *manager = found.ok_or_else(|| INVALID_MANAGER.about("manager_userid"))?.userid.clone();
        }
        Ok(())
    }

    /// Two limits, either of which DingTalk may hide behind "busy" (page A0161).
    fn check_head_count(&self, now_ms: i64) -> Result<(), Refusal> {
        let recent = || self.users.iter().filter(|user| now_ms.saturating_sub(user.joined_ms) < WEEK_MS).count();
        let organisation = &self.organisation;
        let errcode = if organisation.head_count_limit.is_some_and(|limit| self.users.len() >= limit) {
            HEAD_COUNT_LIMIT
        } else if organisation.weekly_add_limit.is_some_and(|limit| recent() >= limit) {
            WEEKLY_ADD_LIMIT
        } else {
            return Ok(());
        };
        let errcode = if self.switches.head_count_limit_is_busy { BUSY } else { errcode };
        Err(errcode.plain())
    }
}
