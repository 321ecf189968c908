//! Reading the attributes of a department out of a call: types, lengths, characters, lists (pages A0077 and A0078).

use crate::errcode::{
    DEPARTMENT_NAME_CHARACTERS, Errcode, INVALID_ARGUMENT, INVALID_DEPARTMENT_NAME, INVALID_GROUP_OWNER, INVALID_ORDER,
    INVALID_VISIBILITY, INVALID_VISIBILITY_ON_CREATE, Refusal, SENSITIVE_WORDS, UNKNOWN_USERID_IN_LIST,
};
use crate::params::Params;

use super::Corp;
use super::department::{Department, FLAGS};
use super::user_fields::forced_fields;

/// Longest name.
const NAME_LENGTH: usize = 64;

/// Most entries of a visibility list: each on create, both lists together on update.
const VISIBILITY_ENTRIES: usize = 50;

/// A text attribute with its limit.
struct TextRule {
    param: &'static str,
    longest: usize,
    slot: fn(&mut Department) -> &mut Option<String>,
}

const TEXTS: [TextRule; 4] = [
    TextRule { param: "source_identifier", longest: 128, slot: |department| &mut department.source_identifier },
    TextRule { param: "brief", longest: 255, slot: |department| &mut department.brief },
    TextRule { param: "telephone", longest: 50, slot: |department| &mut department.telephone },
    TextRule { param: "extension", longest: 2_000, slot: |department| &mut department.extension },
];

/// `code` can be set by update only.
const CODE: TextRule = TextRule { param: "code", longest: 30, slot: |department| &mut department.code };

/// Whether a call creates or updates; the two differ in their limits and in one error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Update,
}

impl Corp {
    /// Writes every attribute the call names, except the name and the parent.
    pub(super) fn write_department(
        &mut self,
        department: &mut Department,
        params: &Params,
        step: Step,
    ) -> Result<(), Refusal> {
        if let Some(order) = params.integer("order")? {
            department.order = Some(order).filter(|&order| order > 0).ok_or_else(|| INVALID_ORDER.plain())?;
        }
        for rule in &TEXTS {
            write_text(department, params, rule, self.switches.empty_string_clears)?;
        }
        for flag in FLAGS {
            if let Some(value) = params.boolean(flag)? {
                department.flags.insert(flag, value);
            }
        }
        self.write_visibility(department, params, step)?;
        if step == Step::Update {
            write_text(department, params, &CODE, self.switches.empty_string_clears)?;
            self.write_people(department, params)?;
        }
        if department.flag("create_dept_group") && department.dept_group_chat_id.is_none() {
            department.dept_group_chat_id = Some(self.random.chat_id());
        }
        Ok(())
    }

    /// Managers and the group owner, who must be members of this very department.
    fn write_people(&self, department: &mut Department, params: &Params) -> Result<(), Refusal> {
        // Ids are stored as their owners spell them, whatever case the caller used.
        let member = |userid: &str| {
            let user = self.find_user(userid)?;
            user.dept_id_list.contains(&department.dept_id).then(|| user.userid.clone())
        };
        let managers = match params.comma_list("dept_manager_userid_list")? {
            None => None,
            Some(sent) => {
                let members: Option<Vec<String>> = sent.iter().map(|userid| member(userid)).collect();
                let members = members.filter(|members| !members.is_empty());
                Some(members.ok_or_else(|| UNKNOWN_USERID_IN_LIST.about("dept_manager_userid_list"))?)
            }
        };
        let owner = match params.text("org_dept_owner")? {
            None => None,
            Some(sent) => Some(member(&sent).ok_or_else(|| INVALID_GROUP_OWNER.about("org_dept_owner"))?),
        };
        let clears = forced_fields(params)?.iter().any(|name| name == "dept_manager_userid_list");
        match managers {
            Some(managers) => department.managers = managers,
            None if clears => department.managers.clear(),
            None => {}
        }
        if owner.is_some() {
            department.org_dept_owner = owner;
        }
        Ok(())
    }

    fn write_visibility(&self, department: &mut Department, params: &Params, step: Step) -> Result<(), Refusal> {
        let refusal = match step {
            Step::Create => INVALID_VISIBILITY_ON_CREATE,
            Step::Update => INVALID_VISIBILITY,
        };
        for (depts, users) in [("dept_permits", "user_permits"), ("outer_permit_depts", "outer_permit_users")] {
            let dept_ids = self.known_departments(params, depts, refusal)?;
            let userids = self.known_users(params, users, refusal)?;
            let (dept_count, user_count) = (length(dept_ids.as_ref()), length(userids.as_ref()));
            let too_many = match step {
                Step::Create => dept_count.max(user_count) > VISIBILITY_ENTRIES,
                Step::Update => dept_count + user_count > VISIBILITY_ENTRIES,
            };
            if too_many {
                return Err(refusal.about(depts));
            }
            let (dept_slot, user_slot) = if depts == "dept_permits" {
                (&mut department.dept_permits, &mut department.user_permits)
            } else {
                (&mut department.outer_permit_depts, &mut department.outer_permit_users)
            };
            if let Some(dept_ids) = dept_ids {
                *dept_slot = dept_ids;
            }
            if let Some(userids) = userids {
                *user_slot = userids;
            }
        }
        Ok(())
    }

    fn known_departments(&self, params: &Params, name: &str, refusal: Errcode) -> Result<Option<Vec<i64>>, Refusal> {
        let ids = params.id_list(name, || refusal.about(name))?;
        let known = ids.as_ref().is_none_or(|ids| ids.iter().all(|&id| self.departments.get(id).is_some()));
        if known { Ok(ids) } else { Err(refusal.about(name)) }
    }

    fn known_users(&self, params: &Params, name: &str, refusal: Errcode) -> Result<Option<Vec<String>>, Refusal> {
        let ids = params.comma_list(name)?;
        let known = ids.as_ref().is_none_or(|ids| ids.iter().all(|id| self.find_user(id).is_some()));
        if known { Ok(ids) } else { Err(refusal.about(name)) }
    }

    /// Checks a department's name: 1 to 64 characters, neither a hyphen nor a comma of either width.
    pub(super) fn check_department_name(&self, name: &str) -> Result<String, Refusal> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_LENGTH || name.chars().any(char::is_control) {
            return Err(INVALID_DEPARTMENT_NAME.about("name"));
        }
        if name.contains(['-', ',', '，']) {
            return Err(DEPARTMENT_NAME_CHARACTERS.about("name"));
        }
        if self.organisation.sensitive_words.iter().any(|word| name.contains(word)) {
            return Err(SENSITIVE_WORDS.about("name"));
        }
        Ok(name.to_owned())
    }
}

fn length<T>(list: Option<&Vec<T>>) -> usize {
    list.map_or(0, Vec::len)
}

fn write_text(
    department: &mut Department,
    params: &Params,
    rule: &TextRule,
    empty_clears: bool,
) -> Result<(), Refusal> {
    let Some(text) = params.text(rule.param)? else { return Ok(()) };
    if text.chars().count() > rule.longest {
        return Err(INVALID_ARGUMENT.about(rule.param));
    }
    if !text.is_empty() || empty_clears {
        *(rule.slot)(department) = Some(text).filter(|text| !text.is_empty());
    }
    Ok(())
}
