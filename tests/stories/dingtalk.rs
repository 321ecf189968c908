//! The simulated DingTalk's state without what differs between two runs: ids that the product or DingTalk chose.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// Everything that was projected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Organisation {
    /// By job number.
    pub(crate) people: BTreeMap<String, Member>,
    /// Paths of names.
    pub(crate) departments: BTreeSet<String>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) mobile: String,
    pub(crate) email: Option<String>,
    pub(crate) title: Option<String>,
    /// Paths of names; empty for the root.
    pub(crate) department: String,
    /// The manager's job number.
    pub(crate) manager: Option<String>,
}

impl Organisation {
    /// Reads the simulator's dump. Two people with one job number or number, or two departments with one path, are a
    /// duplicate and an error.
    pub(crate) fn read(state: &Value) -> anyhow::Result<Self> {
        let paths = department_paths(state)?;
        let mut departments = BTreeSet::new();
        for path in paths.values().filter(|path| !path.is_empty()) {
            ensure!(departments.insert(path.clone()), "DingTalk has the department {path} twice");
        }
        let users = list(state, "users")?;
        let job_numbers: BTreeMap<&str, String> =
            users.iter().filter_map(|user| Some((user["userid"].as_str()?, job_number(user)))).collect();
        let mut people = BTreeMap::new();
        let mut mobiles = BTreeSet::new();
        for user in users {
            let member = read_member(user, &paths, &job_numbers)?;
            ensure!(mobiles.insert(member.mobile.clone()), "DingTalk has the number {} twice", member.mobile);
            if let Some(other) = people.insert(job_number(user), member) {
                bail!("DingTalk has {} twice: {user} and {other:?}", job_number(user));
            }
        }
        Ok(Self { people, departments })
    }

    /// Where two states differ, line by line; empty when they agree.
    pub(crate) fn differences(&self, found: &Self) -> String {
        let mut lines = differences_of_maps(&self.people, &found.people);
        lines.extend(self.departments.difference(&found.departments).map(|path| format!("missing: department {path}")));
        lines
            .extend(found.departments.difference(&self.departments).map(|path| format!("too much: department {path}")));
        lines.join("\n")
    }
}

/// Where two maps differ, one line for each key.
pub(crate) fn differences_of_maps<T: Debug + PartialEq>(
    wanted: &BTreeMap<String, T>,
    found: &BTreeMap<String, T>,
) -> Vec<String> {
    let keys: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let difference = |key: &String| match (wanted.get(key), found.get(key)) {
        (Some(wanted), None) => Some(format!("missing: {key} {wanted:?}")),
        (None, Some(found)) => Some(format!("too much: {key} {found:?}")),
        (Some(wanted), Some(found)) if wanted != found => Some(format!("{key}: wanted {wanted:?}, found {found:?}")),
        _ => None,
    };
    keys.into_iter().filter_map(difference).collect()
}

/// The path of each department by its id; the root has an empty one.
fn department_paths(state: &Value) -> anyhow::Result<BTreeMap<i64, String>> {
    let mut about = BTreeMap::new();
    for department in list(state, "departments")? {
        let id = department["dept_id"].as_i64().context("a department without an id")?;
        let name = department["name"].as_str().context("a department without a name")?;
        about.insert(id, (department["parent_id"].as_i64(), name));
    }
    let path = |id: i64| {
        let mut names = Vec::new();
        let mut next = Some(id);
        while let Some((Some(parent), name)) = next.and_then(|id| about.get(&id)) {
            names.push(*name);
            next = Some(*parent);
        }
        names.reverse();
        names.join("/")
    };
    Ok(about.keys().map(|id| (*id, path(*id))).collect())
}

fn read_member(
    user: &Value,
    paths: &BTreeMap<i64, String>,
    job_numbers: &BTreeMap<&str, String>,
) -> anyhow::Result<Member> {
    let text = |key: &str| user[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let departments = list(user, "dept_id_list")?.iter().map(|id| {
        let path = id.as_i64().and_then(|id| paths.get(&id));
        path.cloned().with_context(|| format!("a department that does not exist: {user}"))
    });
    let departments = departments.collect::<anyhow::Result<Vec<_>>>()?;
    let manager = user["manager_userid"].as_str().map(|manager| {
        job_numbers.get(manager).cloned().with_context(|| format!("a manager who does not exist: {user}"))
    });
    Ok(Member {
        name: text("name").context("a member without a name")?,
        mobile: text("mobile").context("a member without a number")?,
        email: text("email"),
        title: text("title"),
        department: departments.join(" + "),
        manager: manager.transpose()?,
    })
}

fn job_number(user: &Value) -> String {
    user["job_number"].as_str().unwrap_or("without a job number").to_owned()
}

fn list<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a Vec<Value>> {
    value[key].as_array().with_context(|| format!("no list {key}"))
}
