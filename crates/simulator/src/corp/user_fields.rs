//! Reading the attributes of a member out of a call: types, lengths, characters (pages A0055 and A0057).
//!
//! Nothing here looks at other members; uniqueness and existence are checked by `user_lifecycle`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::errcode::{
    Errcode, INVALID_ARGUMENT, INVALID_DEPARTMENT_LIST, INVALID_EMAIL, INVALID_EXTENSION, INVALID_JOB_NUMBER,
    INVALID_NAME, INVALID_REMARK, INVALID_TELEPHONE, INVALID_TITLE, INVALID_USERID, INVALID_WORK_PLACE, Refusal,
    SENSITIVE_WORDS,
};
use crate::options::Organisation;
use crate::params::{Params, scalar_text};

use super::user::User;

/// Longest user id, name and `extension`.
const USERID_LENGTH: usize = 64;
const NAME_LENGTH: usize = 80;
const EXTENSION_LENGTH: usize = 2_000;

/// A text attribute with its limit.
struct TextRule {
    param: &'static str,
    longest: usize,
    refusal: Errcode,
    slot: fn(&mut User) -> &mut Option<String>,
}

const TEXTS: [TextRule; 8] = [
    TextRule { param: "telephone", longest: 50, refusal: INVALID_TELEPHONE, slot: |user| &mut user.telephone },
    TextRule { param: "job_number", longest: 50, refusal: INVALID_JOB_NUMBER, slot: |user| &mut user.job_number },
    TextRule { param: "title", longest: 200, refusal: INVALID_TITLE, slot: |user| &mut user.title },
    TextRule { param: "email", longest: 50, refusal: INVALID_EMAIL, slot: |user| &mut user.email },
    TextRule { param: "org_email", longest: 100, refusal: INVALID_EMAIL, slot: |user| &mut user.org_email },
    TextRule { param: "work_place", longest: 100, refusal: INVALID_WORK_PLACE, slot: |user| &mut user.work_place },
    TextRule { param: "remark", longest: 2_000, refusal: INVALID_REMARK, slot: |user| &mut user.remark },
    TextRule { param: "login_email", longest: 64, refusal: INVALID_EMAIL, slot: |user| &mut user.login_email },
];

/// How a call is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) params: &'a Params,
    pub(super) organisation: &'a Organisation,
    /// An empty string clears a text attribute; otherwise it is ignored.
    pub(super) empty_clears: bool,
}

impl Reading<'_> {
    /// Writes every attribute the call names, except ids, numbers, departments and the manager.
    pub(super) fn write_attributes(self, user: &mut User) -> Result<(), Refusal> {
        if let Some(name) = self.params.text("name")? {
            user.name = check_name(&name, self.organisation)?;
        }
        for rule in &TEXTS {
            self.write_text(user, rule)?;
        }
        if let Some(hide_mobile) = self.params.boolean("hide_mobile")? {
            user.hide_mobile = hide_mobile;
        }
        if let Some(senior_mode) = self.params.boolean("senior_mode")? {
            user.senior_mode = senior_mode;
        }
        if let Some(hired_date) = self.params.integer("hired_date")? {
            user.hired_date = Some(hired_date);
        }
        if let Some(kind) = self.params.text("org_email_type")?.filter(|kind| !kind.is_empty()) {
            if !matches!(kind.as_str(), "profession" | "base") {
                return Err(INVALID_ARGUMENT.about("org_email_type"));
            }
            user.org_email_type = Some(kind);
        }
        if let Some(translations) = self.params.object("extension_i18n")? {
            user.extension_i18n = Some(Value::Object(translations));
        }
        self.write_extension(user)
    }

    fn write_text(self, user: &mut User, rule: &TextRule) -> Result<(), Refusal> {
        let Some(text) = self.params.text(rule.param)? else { return Ok(()) };
        if rule.param == "org_email" && !self.organisation.corp_mailbox {
            return Ok(());
        }
        if text.is_empty() {
            if self.empty_clears {
                *(rule.slot)(user) = None;
            }
            return Ok(());
        }
        let is_email = rule.refusal == INVALID_EMAIL;
        if text.chars().count() > rule.longest || (is_email && !looks_like_email(&text)) {
            return Err(rule.refusal.about(rule.param));
        }
        *(rule.slot)(user) = Some(text);
        Ok(())
    }

    fn write_extension(self, user: &mut User) -> Result<(), Refusal> {
        let sent = match self.params.value("extension") {
            Some(Value::String(text)) if text.is_empty() && !self.empty_clears => None,
            Some(Value::String(text)) if text.is_empty() => Some(BTreeMap::new()),
            _ => self.params.object("extension")?.map(|object| self.custom_fields(object)).transpose()?,
        };
        let Some(sent) = sent else { return Ok(()) };
        let mut extension = match self.params.integer("ext_attrs_update_mode")?.unwrap_or(0) {
            0 => BTreeMap::new(),
            1 => user.extension.clone(),
            _ => return Err(INVALID_ARGUMENT.about("ext_attrs_update_mode")),
        };
        extension.extend(sent);
        extension.retain(|_, value| !value.is_empty());
        let length = serde_json::to_string(&extension).map_or(usize::MAX, |text| text.chars().count());
        if length > EXTENSION_LENGTH {
            return Err(INVALID_EXTENSION.about("extension"));
        }
        user.extension = extension;
        Ok(())
    }

    fn custom_fields(self, object: serde_json::Map<String, Value>) -> Result<BTreeMap<String, String>, Refusal> {
        let known = |key: &str| self.organisation.custom_fields.as_ref().is_none_or(|fields| fields.contains(key));
        let fields = object.into_iter().map(|(key, value)| match scalar_text(&value) {
            Some(text) if known(&key) => Ok((key, text)),
            _ => Err(INVALID_EXTENSION.about(key)),
        });
        fields.collect()
    }

    /// The `dept_id_list` of the call, without repetitions. Existence is for the caller to check.
    pub(super) fn departments(self, most: usize) -> Result<Option<Vec<i64>>, Refusal> {
        let refusal = || INVALID_DEPARTMENT_LIST.about("dept_id_list");
        let Some(mut ids) = self.params.id_list("dept_id_list", refusal)? else { return Ok(None) };
        let mut seen = BTreeSet::new();
        ids.retain(|&id| seen.insert(id));
        if ids.is_empty() || ids.len() > most {
            return Err(refusal());
        }
        Ok(Some(ids))
    }

    /// Writes what the call says about single departments. They must be departments of the person.
    pub(super) fn write_memberships(self, user: &mut User) -> Result<(), Refusal> {
        for entry in self.params.objects("dept_order_list")?.unwrap_or_default() {
            let dept_id = own_department(user, &entry, "dept_order_list")?;
            user.dept_order.insert(dept_id, entry.required_integer("order")?);
        }
        for entry in self.params.objects("dept_title_list")?.unwrap_or_default() {
            let dept_id = own_department(user, &entry, "dept_title_list")?;
            let title = entry.text("title")?.filter(|title| !title.is_empty());
            user.dept_position.entry(dept_id).or_default().title = title;
        }
        for entry in self.params.objects("dept_position_list")?.unwrap_or_default() {
            let dept_id = own_department(user, &entry, "dept_position_list")?;
            if entry.boolean("is_main")? == Some(true) {
                user.dept_position.values_mut().for_each(|position| position.is_main = false);
            }
            let position = user.dept_position.entry(dept_id).or_default();
            position.title = entry.text("title")?.or(position.title.take());
            position.work_place = entry.text("work_place")?.or(position.work_place.take());
            position.is_main = entry.boolean("is_main")?.unwrap_or(position.is_main);
        }
        Ok(())
    }
}

fn own_department(user: &User, entry: &Params, list: &str) -> Result<i64, Refusal> {
    let dept_id = entry.required_integer("dept_id")?;
    if user.dept_id_list.contains(&dept_id) { Ok(dept_id) } else { Err(INVALID_ARGUMENT.about(list)) }
}

fn check_name(name: &str, organisation: &Organisation) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH || name.chars().any(char::is_control) {
        return Err(INVALID_NAME.about("name"));
    }
    if organisation.sensitive_words.iter().any(|word| name.contains(word)) {
        return Err(SENSITIVE_WORDS.about("name"));
    }
    Ok(name.to_owned())
}

/// Checks a user id that a caller has chosen.
pub(super) fn check_userid(userid: &str, strict: bool) -> Result<(), Refusal> {
    let allowed = |character: char| {
        if strict {
            character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
        } else {
            !character.is_control()
        }
    };
    let length = userid.chars().count();
    if (1..=USERID_LENGTH).contains(&length) && userid.chars().all(allowed) {
        Ok(())
    } else {
        Err(INVALID_USERID.about("userid"))
    }
}

/// A local part, one `@` and a domain, all of printable ASCII without blanks.
fn looks_like_email(text: &str) -> bool {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    let parts = text.split_once('@');
    printable && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
}

/// Names in `force_update_fields`, which may come as a comma-separated text or as a list.
pub(super) fn forced_fields(params: &Params) -> Result<Vec<String>, Refusal> {
    match params.value("force_update_fields") {
        Some(Value::Array(names)) => {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned));
            names.collect::<Option<_>>().ok_or_else(|| INVALID_ARGUMENT.about("force_update_fields"))
        }
        _ => Ok(params.comma_list("force_update_fields")?.unwrap_or_default()),
    }
}
