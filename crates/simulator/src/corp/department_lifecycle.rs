//! Creating, changing, moving and deleting departments (pages A0077 to A0079).

use crate::errcode::{
    DEPARTMENT_CYCLE, DEPARTMENT_HAS_CHILDREN, DEPARTMENT_HAS_MEMBERS, DEPARTMENT_NOT_FOUND, INVALID_DEPARTMENT_ID,
    INVALID_DEPARTMENT_NAME, INVALID_PARENT_ID, PARENT_NOT_FOUND, ROOT_NOT_DELETABLE, ROOT_NOT_UPDATABLE, Refusal,
    SIBLING_NAME_TAKEN, TOO_DEEP, TOO_MANY_DEPARTMENTS,
};
use crate::params::Params;

use super::department::{Department, FLAGS};
use super::department_fields::Step;
use super::{Corp, ROOT};

/// Ids are spread out, so that nobody relies on them being consecutive.
const LARGEST_ID_GAP: u64 = 1_000;

impl Corp {
    /// Creates a department and returns its id.
    pub(crate) fn create_department(&mut self, params: &Params) -> Result<i64, Refusal> {
        let name = params.text("name")?.ok_or_else(|| INVALID_DEPARTMENT_NAME.about("name"))?;
        let name = self.check_department_name(&name)?;
        let parent_id = self.existing_parent(params.required_integer("parent_id")?)?;
        let mut department = Department { parent_id: Some(parent_id), name, ..Department::default() };
        department.flags = FLAGS.map(|flag| (flag, false)).into();
        self.write_department(&mut department, params, Step::Create)?;
        self.check_place(&department)?;
        if self.organisation.department_limit.is_some_and(|limit| self.departments.len() >= limit) {
            return Err(TOO_MANY_DEPARTMENTS.plain());
        }
        let gap = self.random.below(LARGEST_ID_GAP);
        department.dept_id = self.departments.next_id(gap);
        if department.order == 0 {
            department.order = department.dept_id;
        }
        let dept_id = department.dept_id;
        self.committed();
        self.departments.put(department);
        Ok(dept_id)
    }

    /// Changes or moves a department: whatever the call does not name stays.
    pub(crate) fn update_department(&mut self, params: &Params) -> Result<(), Refusal> {
        let mut department = self.existing_department(params.required_integer("dept_id")?)?.clone();
        if department.dept_id == ROOT {
            return Err(ROOT_NOT_UPDATABLE.plain());
        }
        if let Some(name) = params.text("name")? {
            department.name = self.check_department_name(&name)?;
        }
        if let Some(parent_id) = params.integer("parent_id")? {
            let parent_id = self.existing_parent(parent_id)?;
            if self.departments.path_to_root(parent_id).contains(&department.dept_id) {
                return Err(DEPARTMENT_CYCLE.plain());
            }
            department.parent_id = Some(parent_id);
        }
        self.write_department(&mut department, params, Step::Update)?;
        self.check_place(&department)?;
        self.committed();
        self.departments.put(department);
        Ok(())
    }

    /// Deletes an empty department.
    pub(crate) fn delete_department(&mut self, dept_id: i64) -> Result<(), Refusal> {
        let dept_id = self.existing_department(dept_id)?.dept_id;
        if dept_id == ROOT {
            return Err(ROOT_NOT_DELETABLE.plain());
        }
        if !self.people_below(dept_id).is_empty() {
            return Err(DEPARTMENT_HAS_MEMBERS.plain());
        }
        let subtree = self.departments.subtree(dept_id);
        if subtree.len() > 1 && !self.switches.cascade_empty_children {
            return Err(DEPARTMENT_HAS_CHILDREN.plain());
        }
        self.committed();
        for id in subtree {
            self.departments.remove(id);
            self.roles.forget_department(id);
        }
        Ok(())
    }

    /// A department that must be there. Ids below 1 belong to education pseudo-departments (40009).
    pub(crate) fn existing_department(&self, dept_id: i64) -> Result<&Department, Refusal> {
        if dept_id < 1 {
            return Err(INVALID_DEPARTMENT_ID.plain());
        }
        self.departments.get(dept_id).ok_or_else(|| DEPARTMENT_NOT_FOUND.plain())
    }

    fn existing_parent(&self, parent_id: i64) -> Result<i64, Refusal> {
        if parent_id < 1 {
            return Err(INVALID_PARENT_ID.plain());
        }
        let parent = self.departments.get(parent_id).ok_or_else(|| PARENT_NOT_FOUND.plain())?;
        Ok(parent.dept_id)
    }

    /// Where a department would stand: not beside a namesake, and not too deep with all that is below it.
    fn check_place(&self, department: &Department) -> Result<(), Refusal> {
        let Some(parent_id) = department.parent_id else { return Ok(()) };
        let namesake = self.departments.child_named(parent_id, &department.name);
        if namesake.is_some_and(|id| id != department.dept_id) {
            return Err(SIBLING_NAME_TAKEN.plain());
        }
        let Some(limit) = self.organisation.depth_limit else { return Ok(()) };
        let own_depth = self.departments.path_to_root(department.dept_id).len();
        let below = self.departments.subtree(department.dept_id);
        let height = below.iter().map(|&id| self.departments.path_to_root(id).len().saturating_sub(own_depth)).max();
        let deepest = self.departments.path_to_root(parent_id).len() + 1 + height.unwrap_or(0);
        if deepest > limit { Err(TOO_DEEP.plain()) } else { Ok(()) }
    }
}
