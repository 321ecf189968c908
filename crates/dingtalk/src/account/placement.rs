//! A person's place in each of their departments: order, post and which one is the main one.
//!
//! DingTalk does not say whether a list that names some departments leaves the others alone, and entries of departments
//! that the person is not in are refused; so the lists are always sent whole, for exactly the person's departments.

use crate::fit;
use crate::wire::account::{DeptOrder, DeptPosition, User, UserBody};
use rollcall_provisioning::connector::ConnectorError;
use rollcall_provisioning::entity;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wanted of a person's places.
#[derive(Default)]
pub(super) struct Wanted {
    orders: BTreeMap<i64, i64>,
    /// An empty text clears.
    titles: BTreeMap<i64, String>,
    without_titles: bool,
    primary: Option<i64>,
}

impl Wanted {
    pub(super) fn is_empty(&self) -> bool {
        self.orders.is_empty() && !self.changes_posts()
    }

    fn changes_posts(&self) -> bool {
        self.without_titles || !self.titles.is_empty() || self.primary.is_some()
    }

    pub(super) fn orders(&mut self, value: &Value) -> Result<(), ConnectorError> {
        for (unit, order) in fit::by_department(entity::ORG_UNIT_ORDERS, value)? {
            // Nobody can be without an order, so that none is wanted asks for nothing.
            if !order.is_null() {
                self.orders.insert(unit, fit::integer(entity::ORG_UNIT_ORDERS, order)?);
            }
        }
        Ok(())
    }

    pub(super) fn titles(&mut self, value: &Value) -> Result<(), ConnectorError> {
        for (unit, title) in fit::by_department(entity::ORG_UNIT_TITLES, value)? {
            let title = if title.is_null() { String::new() } else { fit::text(entity::ORG_UNIT_TITLES, title)? };
            self.titles.insert(unit, title);
        }
        Ok(())
    }

    pub(super) fn no_titles(&mut self) {
        self.without_titles = true;
    }

    pub(super) fn primary(&mut self, value: &Value) -> Result<(), ConnectorError> {
        self.primary = Some(fit::department(entity::PRIMARY_ORG_UNIT, value)?);
        Ok(())
    }

    /// The departments that are spoken of, each with the attribute that does.
    fn departments(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let orders = self.orders.keys().map(|unit| (entity::ORG_UNIT_ORDERS, *unit));
        let titles = self.titles.keys().map(|unit| (entity::ORG_UNIT_TITLES, *unit));
        orders.chain(titles).chain(self.primary.map(|unit| (entity::PRIMARY_ORG_UNIT, unit)))
    }
}

/// The places that a person has.
#[derive(Default)]
pub(super) struct Placement {
    units: Vec<i64>,
    orders: BTreeMap<i64, i64>,
    posts: BTreeMap<i64, DeptPosition>,
}

impl Placement {
    /// A new person's.
    pub(super) fn in_departments(units: Vec<i64>) -> Self {
        Self { units, ..Self::default() }
    }

    /// A present person's.
    pub(super) fn of(user: &User) -> Self {
        let units = user.dept_id_list.iter().filter_map(|id| fit::department_number(id)).collect();
        let orders = user.dept_order_list.iter().filter_map(|entry| Some((entry.dept_id?, entry.order?)));
        let posts = user.dept_position_list.iter().filter_map(|post| Some((post.dept_id?, post.clone())));
        Self { units, orders: orders.collect(), posts: posts.collect() }
    }

    /// The person changes departments in the same call.
    pub(super) fn moved_to(&mut self, units: Vec<i64>) {
        self.units = units;
    }

    /// Writes the lists that are not as they should be.
    pub(super) fn write(&self, wanted: &Wanted, body: &mut UserBody) -> Result<(), ConnectorError> {
        if let Some((attribute, _)) = wanted.departments().find(|(_, unit)| !self.units.contains(unit)) {
            return Err(fit::unfit(attribute, "elsewhere", "names a department that the person is not in"));
        }
        if !wanted.orders.is_empty() {
            let order = |unit: &i64| wanted.orders.get(unit).or_else(|| self.orders.get(unit)).copied();
            let entry = |unit: &i64| Some(DeptOrder { dept_id: Some(*unit), order: Some(order(unit)?) });
            body.dept_order_list = Some(self.units.iter().filter_map(entry).collect());
        }
        if wanted.changes_posts() {
            body.dept_position_list = Some(self.units.iter().map(|unit| self.post(*unit, wanted)).collect());
        }
        Ok(())
    }

    fn post(&self, unit: i64, wanted: &Wanted) -> DeptPosition {
        let before = self.posts.get(&unit);
        let kept = before.and_then(|post| post.title.clone());
        let title = match wanted.titles.get(&unit) {
            Some(title) => Some(title.clone()),
            None if wanted.without_titles => kept.map(|_| String::new()),
            None => kept,
        };
        DeptPosition {
            dept_id: Some(unit),
            title,
            work_place: before.and_then(|post| post.work_place.clone()),
            is_main: wanted.primary.map_or_else(|| before.and_then(|post| post.is_main), |main| Some(main == unit)),
        }
    }
}
