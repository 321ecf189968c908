//! External contacts and the labels they carry (pages A0097 to A0102).
//!
//! The pages list the errors without saying when each applies. Inferred: an unknown label counts as none (60204), an
//! unknown member as 40003, and an update must name what a creation must, except the number, which it cannot change.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::errcode::{
    CONTACT_LIMIT, CONTACT_NEEDS_LABELS, CONTACT_TAKEN, CONTACTS_OFF, DEPARTMENT_NOT_FOUND, EMPTY_PARAMETER,
    INVALID_ARGUMENT, INVALID_MOBILE, INVALID_NAME, INVALID_SCOPE_USER, INVALID_USERID, MANDATORY_FIELD, Refusal,
    USER_NOT_FOUND,
};
use crate::mobile::Mobile;
use crate::params::Params;
use crate::random::Random;

use super::Corp;

/// Longest name.
const NAME_LENGTH: usize = 80;

/// Most labels, departments and members in one call.
const IDS_PER_CALL: usize = 20;

/// Where generated label ids start.
const FIRST_LABEL_ID: i64 = 1_561_077_310;

/// Someone outside whom the organisation keeps on record. Its JSON form is the one of `/_simulator/state`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExternalContact {
    /// Id, chosen by DingTalk.
    #[serde(rename = "user_id")]
    pub(crate) id: String,
    /// Id of the person across the organisations of one developer.
    pub(crate) unionid: String,
    /// Name.
    pub(crate) name: String,
    /// Number, unique among the contacts and never changed.
    pub(crate) mobile: Mobile,
    /// Labels, at least one.
    pub(crate) label_ids: Vec<i64>,
    /// The member in charge.
    pub(crate) follower_user_id: String,
    /// Departments that see the contact.
    pub(crate) share_dept_ids: Vec<i64>,
    /// Members who see the contact.
    pub(crate) share_user_ids: Vec<String>,
    /// Free texts: title, address, remark, company name, e-mail.
    #[serde(flatten)]
    pub(crate) texts: BTreeMap<&'static str, String>,
}

/// Free texts that the API writes.
const TEXTS: [&str; 4] = ["title", "address", "remark", "company_name"];

/// A label.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Label {
    /// Id, chosen by DingTalk.
    pub(crate) id: i64,
    /// Name.
    pub(crate) name: String,
}

/// Labels of one kind. No API makes them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LabelGroup {
    /// Name.
    pub(crate) name: String,
    /// Colour, as a signed number.
    pub(crate) color: i64,
    /// Its labels.
    pub(crate) labels: Vec<Label>,
}

/// All external contacts and labels.
#[derive(Clone, Debug)]
pub(crate) struct ExternalContacts {
    by_id: BTreeMap<String, ExternalContact>,
    label_groups: Vec<LabelGroup>,
    next_label_id: i64,
}

impl ExternalContacts {
    /// No contacts, and the labels that every organisation begins with (page A0101).
    pub(crate) fn with_default_labels() -> Self {
        let mut contacts = Self { by_id: BTreeMap::new(), label_groups: Vec::new(), next_label_id: FIRST_LABEL_ID };
        for (name, color, labels) in [
            ("类型", -15_220_075, ["客户", "渠道商", "供应商", "合作伙伴", "其他类型"].as_slice()),
            ("级别", -11_687_445, ["一般", "重要", "核心"].as_slice()),
            ("状态", -543_394, ["潜在", "意向", "洽谈", "成交", "流失"].as_slice()),
        ] {
            contacts.add_label_group(name, color, labels.iter().map(|&label| label.to_owned()));
        }
        contacts
    }

    /// The contact of that id.
    pub(crate) fn get(&self, id: &str) -> Option<&ExternalContact> {
        self.by_id.get(id)
    }

    /// The contact of that unionid.
    pub(crate) fn by_unionid(&self, unionid: &str) -> Option<&ExternalContact> {
        self.by_id.values().find(|contact| contact.unionid == unionid)
    }

    /// All contacts, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ExternalContact> {
        self.by_id.values()
    }

    /// All label groups, oldest first.
    pub(crate) fn label_groups(&self) -> &[LabelGroup] {
        &self.label_groups
    }

    fn add_label_group(&mut self, name: &str, color: i64, labels: impl Iterator<Item = String>) {
        let first = self.next_label_id;
        let labels: Vec<Label> = (first..).zip(labels).map(|(id, name)| Label { id, name }).collect();
        self.next_label_id += i64::try_from(labels.len()).unwrap_or(0) + 1;
        self.label_groups.push(LabelGroup { name: name.to_owned(), color, labels });
    }

    fn has_label(&self, id: i64) -> bool {
        self.label_groups.iter().flat_map(|group| &group.labels).any(|label| label.id == id)
    }
}

impl Corp {
    /// Puts someone outside on record and returns their id.
    pub(crate) fn create_external_contact(&mut self, params: &Params) -> Result<String, Refusal> {
        self.check_contacts_are_on()?;
        let contact = read_contact(params)?;
        let mobile = read_mobile(&contact)?;
        let mut draft = ExternalContact {
            id: String::new(),
            unionid: Random::of_text(self.seed, &mobile.to_string()).unionid(),
            name: String::new(),
            mobile,
            label_ids: Vec::new(),
            follower_user_id: String::new(),
            share_dept_ids: Vec::new(),
            share_user_ids: Vec::new(),
            texts: BTreeMap::new(),
        };
        self.write_contact(&mut draft, &contact)?;
        if self.external.iter().any(|other| other.mobile == draft.mobile) {
            return Err(CONTACT_TAKEN.plain());
        }
        if self.organisation.external_contact_limit.is_some_and(|limit| self.external.by_id.len() >= limit) {
            return Err(CONTACT_LIMIT.plain());
        }
        draft.id = self.unused_userid();
        let id = draft.id.clone();
        self.committed();
        self.external.by_id.insert(id.clone(), draft);
        Ok(id)
    }

    /// Changes a contact. A number in the call is ignored (inferred), since none can be changed.
    pub(crate) fn update_external_contact(&mut self, params: &Params) -> Result<(), Refusal> {
        self.check_contacts_are_on()?;
        let contact = read_contact(params)?;
        let id = given(&contact, "user_id")?;
        let mut changed = self.external.get(&id).ok_or_else(|| USER_NOT_FOUND.plain())?.clone();
        self.write_contact(&mut changed, &contact)?;
        self.committed();
        self.external.by_id.insert(id, changed);
        Ok(())
    }

    /// Takes a contact off the record.
    pub(crate) fn delete_external_contact(&mut self, id: &str) -> Result<(), Refusal> {
        let contact = self.existing_contact(id)?.id.clone();
        self.committed();
        self.external.by_id.remove(&contact);
        Ok(())
    }

    /// A contact that must be there.
    pub(crate) fn existing_contact(&self, id: &str) -> Result<&ExternalContact, Refusal> {
        self.external.get(id).ok_or_else(|| INVALID_USERID.plain())
    }

    /// Adds a group of labels, which only an admin in the console can do.
    pub(crate) fn create_label_group(&mut self, params: &Params) -> Result<(), Refusal> {
        let name = params.required_text("name")?;
        let labels = params.texts("labels")?.unwrap_or_default();
        let color = params.integer("color")?.unwrap_or(0);
        self.committed();
        self.external.add_label_group(&name, color, labels.into_iter());
        Ok(())
    }

    fn check_contacts_are_on(&self) -> Result<(), Refusal> {
        if !self.organisation.external_contacts {
            return Err(CONTACTS_OFF.plain());
        }
        if self.organisation.external_contacts_have_mandatory_field {
            return Err(MANDATORY_FIELD.plain());
        }
        Ok(())
    }

    fn write_contact(&self, draft: &mut ExternalContact, contact: &Params) -> Result<(), Refusal> {
        draft.name = given(contact, "name")?;
        if draft.name.chars().count() > NAME_LENGTH || draft.name.chars().any(char::is_control) {
            return Err(INVALID_NAME.about("name"));
        }
        draft.label_ids = ids(contact, "label_ids")?.unwrap_or_default();
        if draft.label_ids.is_empty() || !draft.label_ids.iter().all(|&id| self.external.has_label(id)) {
            return Err(CONTACT_NEEDS_LABELS.about("label_ids"));
        }
        draft.follower_user_id = self.contact_member(&given(contact, "follower_user_id")?)?;
        if let Some(dept_ids) = ids(contact, "share_dept_ids")? {
            if dept_ids.iter().any(|&dept_id| self.departments.get(dept_id).is_none()) {
                return Err(DEPARTMENT_NOT_FOUND.about("share_dept_ids"));
            }
            draft.share_dept_ids = dept_ids;
        }
        if let Some(userids) = contact.texts("share_user_ids")? {
            if userids.len() > IDS_PER_CALL {
                return Err(INVALID_ARGUMENT.about("share_user_ids"));
            }
            draft.share_user_ids = userids.iter().map(|id| self.contact_member(id)).collect::<Result<_, _>>()?;
        }
        for name in TEXTS {
            match contact.text(name)? {
                Some(text) if text.is_empty() && !self.switches.empty_string_clears => {}
                Some(text) if text.is_empty() => drop(draft.texts.remove(name)),
                Some(text) => drop(draft.texts.insert(name, text)),
                None => {}
            }
        }
        Ok(())
    }

    fn contact_member(&self, userid: &str) -> Result<String, Refusal> {
        let user = self.find_user(userid).ok_or_else(|| INVALID_SCOPE_USER.about(userid))?;
        Ok(user.userid.clone())
    }
}

fn read_contact(params: &Params) -> Result<Params, Refusal> {
    let contact = params.object("contact").map_err(|_| EMPTY_PARAMETER.about("contact"))?;
    contact.map(Params::from_object).ok_or_else(|| EMPTY_PARAMETER.about("contact"))
}

fn read_mobile(contact: &Params) -> Result<Mobile, Refusal> {
    let number = format!("+{}-{}", given(contact, "state_code")?.trim_start_matches('+'), given(contact, "mobile")?);
    Mobile::parse(&number, false).ok_or_else(|| INVALID_MOBILE.about("mobile"))
}

fn given(contact: &Params, name: &str) -> Result<String, Refusal> {
    contact.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| EMPTY_PARAMETER.about(name))
}

fn ids(contact: &Params, name: &str) -> Result<Option<Vec<i64>>, Refusal> {
    let Some(texts) = contact.texts(name)? else { return Ok(None) };
    let ids: Option<Vec<i64>> = texts.iter().map(|text| text.trim().parse().ok()).collect();
    match ids.filter(|ids| ids.len() <= IDS_PER_CALL) {
        Some(ids) => Ok(Some(ids)),
        None => Err(INVALID_ARGUMENT.about(name)),
    }
}
