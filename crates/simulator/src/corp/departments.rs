//! The department tree with its indexes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ROOT;
use super::department::Department;

/// Where generated ids start.
const FIRST_ID: i64 = 500_000_000;

/// Family-school pseudo-department of education tenants (page A0161).
pub(crate) const SCHOOL_DEPARTMENT: i64 = -7;

/// All departments. The root is always there.
#[derive(Clone, Debug)]
pub(crate) struct Departments {
    by_id: BTreeMap<i64, Department>,
    children: HashMap<i64, BTreeSet<i64>>,
    names: HashMap<(i64, String), i64>,
    last_id: i64,
    has_school: bool,
}

impl Departments {
    /// A tree of nothing but its root.
    pub(crate) fn with_root(name: &str, has_school: bool) -> Self {
        let root = Department { dept_id: ROOT, name: name.to_owned(), order: 1, ..Department::default() };
        Self {
            by_id: BTreeMap::from([(ROOT, root)]),
            children: HashMap::new(),
            names: HashMap::new(),
            last_id: FIRST_ID,
            has_school,
        }
    }

    /// The department of that id.
    pub(crate) fn get(&self, dept_id: i64) -> Option<&Department> {
        self.by_id.get(&dept_id)
    }

    /// All departments, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Department> {
        self.by_id.values()
    }

    /// How many departments there are, the root included.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The departments directly below, smaller `order` first.
    pub(crate) fn children(&self, dept_id: i64) -> Vec<&Department> {
        let ids = self.children.get(&dept_id).into_iter().flatten();
        let mut children: Vec<&Department> = ids.filter_map(|id| self.by_id.get(id)).collect();
        children.sort_by_key(|department| (department.order, department.dept_id));
        children
    }

    /// Ids directly below that are no departments one could read: the education pseudo-department, where it exists.
    pub(crate) fn pseudo_children(&self, dept_id: i64) -> Option<i64> {
        (self.has_school && dept_id == ROOT).then_some(SCHOOL_DEPARTMENT)
    }

    /// The child of that name.
    pub(crate) fn child_named(&self, parent_id: i64, name: &str) -> Option<i64> {
        self.names.get(&(parent_id, name.to_owned())).copied()
    }

    /// The department and all above it, the root last. Empty for an unknown id.
    pub(crate) fn path_to_root(&self, dept_id: i64) -> Vec<i64> {
        let start = self.by_id.get(&dept_id);
        let above = |department: &&Department| self.by_id.get(&department.parent_id?);
        std::iter::successors(start, above).map(|department| department.dept_id).collect()
    }

    /// The department and all below it, parents before their children.
    pub(crate) fn subtree(&self, dept_id: i64) -> Vec<i64> {
        let mut found = Vec::new();
        let mut pending: Vec<i64> = self.by_id.get(&dept_id).map(|department| department.dept_id).into_iter().collect();
        while let Some(id) = pending.pop() {
            found.push(id);
            pending.extend(self.children(id).iter().rev().map(|child| child.dept_id));
        }
        found
    }

    /// A fresh id. Ids are never given twice.
    pub(crate) fn next_id(&mut self, gap: u64) -> i64 {
        self.last_id += 1 + i64::try_from(gap).unwrap_or(0);
        self.last_id
    }

    /// Adds a department or replaces the one of the same id.
    pub(crate) fn put(&mut self, department: Department) {
        self.remove(department.dept_id);
        if let Some(parent_id) = department.parent_id {
            self.children.entry(parent_id).or_default().insert(department.dept_id);
            self.names.insert((parent_id, department.name.clone()), department.dept_id);
        }
        self.by_id.insert(department.dept_id, department);
    }

    /// Takes a department out; those below it stay.
    pub(crate) fn remove(&mut self, dept_id: i64) {
        let Some(department) = self.by_id.remove(&dept_id) else { return };
        if let Some(parent_id) = department.parent_id {
            if let Some(siblings) = self.children.get_mut(&parent_id) {
                siblings.remove(&dept_id);
            }
            self.names.remove(&(parent_id, department.name));
        }
    }

    /// A person leaves a department and so is neither its manager nor the owner of its group any more.
    pub(crate) fn forget_member(&mut self, dept_id: i64, userid: &str) {
        if let Some(department) = self.by_id.get_mut(&dept_id) {
            department.managers.retain(|manager| manager != userid);
            department.org_dept_owner.take_if(|owner| owner == userid);
        }
    }
}
