//! All members with their indexes. Whatever is unique in the organisation has one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::mobile::Mobile;

use super::user::User;

/// The members, by id. A snapshot is cheap: members are shared until they change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    all: BTreeMap<String, Arc<User>>,
    folded_ids: HashMap<String, String>,
    unionids: HashMap<String, String>,
    mobiles: HashMap<Mobile, String>,
    emails: HashMap<String, String>,
    telephones: HashMap<String, String>,
    department_members: BTreeMap<i64, BTreeSet<String>>,
    reports: HashMap<String, BTreeSet<String>>,
}

impl Users {
    /// The member of that id; `ignore_case` also finds one whose id differs by case only.
    pub(crate) fn get(&self, userid: &str, ignore_case: bool) -> Option<&User> {
        let folded = || ignore_case.then(|| self.folded_ids.get(&fold(userid))).flatten();
        let found = self.all.get(userid).or_else(|| self.all.get(folded()?));
        found.map(AsRef::as_ref)
    }

    /// The member with that number.
    pub(crate) fn by_mobile(&self, mobile: &Mobile) -> Option<&User> {
        self.holder(self.mobiles.get(mobile))
    }

    /// The member with that personal e-mail, whatever its case.
    pub(crate) fn by_email(&self, email: &str) -> Option<&User> {
        self.holder(self.emails.get(&fold(email)))
    }

    /// The member with that extension number.
    pub(crate) fn by_telephone(&self, telephone: &str) -> Option<&User> {
        self.holder(self.telephones.get(telephone))
    }

    /// The member with that unionid.
    pub(crate) fn by_unionid(&self, unionid: &str) -> Option<&User> {
        self.holder(self.unionids.get(unionid))
    }

    /// The direct members of a department, by id.
    pub(crate) fn members(&self, dept_id: i64) -> impl Iterator<Item = &str> {
        self.department_members.get(&dept_id).into_iter().flatten().map(String::as_str)
    }

    /// Those whose manager is `userid`.
    pub(crate) fn reports(&self, userid: &str) -> Vec<String> {
        self.reports.get(userid).into_iter().flatten().cloned().collect()
    }

    /// All members, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &User> {
        self.all.values().map(AsRef::as_ref)
    }

    /// All members as they are now.
    pub(crate) fn snapshot(&self) -> Vec<Arc<User>> {
        self.all.values().cloned().collect()
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds a member or replaces the one of the same id.
    pub(crate) fn put(&mut self, user: User) {
        self.remove(&user.userid);
        let userid = user.userid.clone();
        self.folded_ids.insert(fold(&userid), userid.clone());
        self.unionids.insert(user.unionid.clone(), userid.clone());
        if let Some(mobile) = &user.mobile {
            self.mobiles.insert(mobile.clone(), userid.clone());
        }
        if let Some(email) = &user.email {
            self.emails.insert(fold(email), userid.clone());
        }
        if let Some(telephone) = &user.telephone {
            self.telephones.insert(telephone.clone(), userid.clone());
        }
        for &dept_id in &user.dept_id_list {
            self.department_members.entry(dept_id).or_default().insert(userid.clone());
        }
        if let Some(manager) = &user.manager_userid {
            self.reports.entry(manager.clone()).or_default().insert(userid.clone());
        }
        self.all.insert(userid, Arc::new(user));
    }

    /// Takes a member out.
    pub(crate) fn remove(&mut self, userid: &str) -> Option<Arc<User>> {
        let user = self.all.remove(userid)?;
        self.folded_ids.remove(&fold(userid));
        self.unionids.remove(&user.unionid);
        if let Some(mobile) = &user.mobile {
            self.mobiles.remove(mobile);
        }
        if let Some(email) = &user.email {
            self.emails.remove(&fold(email));
        }
        if let Some(telephone) = &user.telephone {
            self.telephones.remove(telephone);
        }
        for dept_id in &user.dept_id_list {
            if let Some(members) = self.department_members.get_mut(dept_id) {
                members.remove(userid);
            }
        }
        if let Some(reports) = user.manager_userid.as_ref().and_then(|manager| self.reports.get_mut(manager)) {
            reports.remove(userid);
        }
        Some(user)
    }

    fn holder(&self, userid: Option<&String>) -> Option<&User> {
        self.all.get(userid?).map(AsRef::as_ref)
    }
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}
