//! The departments of a person: as rows of ours, and as ids at the target.

use crate::act::{Interrupt, Job};
use crate::report;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity;
use rollcall_provisioning::mapping::Department;
use rollcall_provisioning::org_unit::OrgName;
use rollcall_provisioning::proposal::Paths;
use rollcall_store::projection::WantedPlace;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Where a person belongs.
#[derive(Debug, Default)]
pub(crate) struct Placing {
    /// The departments, in the order of their ids; none is the root.
    pub(crate) units: Vec<Uuid>,
    /// Their remote ids, or what stands for one that is not there yet.
    org_units: BTreeSet<String>,
    /// The remote id of the first of several.
    primary: Option<String>,
    orders: Map<String, Value>,
    titles: Map<String, Value>,
    /// Their paths, by remote id.
    pub(crate) paths: Paths,
    /// One that is not at the target yet, and its name.
    pub(crate) awaited: Option<(Uuid, String)>,
}

/// What came of placing somebody.
pub(crate) enum Placed {
    At(Placing),
    /// A department must be at the target first.
    Waits(Outcome),
}

impl Placing {
    /// The attributes of an account that follow from its departments.
    pub(crate) fn attributes(&self) -> Vec<(String, Option<Value>)> {
        let mut attributes = vec![(entity::ORG_UNITS.to_owned(), Some(json!(self.org_units)))];
        if let Some(primary) = &self.primary {
            attributes.push((entity::PRIMARY_ORG_UNIT.to_owned(), Some(json!(primary))));
        }
        for (name, by_unit) in [(entity::ORG_UNIT_ORDERS, &self.orders), (entity::ORG_UNIT_TITLES, &self.titles)] {
            if !by_unit.is_empty() {
                attributes.push((name.to_owned(), Some(Value::Object(by_unit.clone()))));
            }
        }
        attributes
    }

    fn add(&mut self, department: &Department, remote_id: String) {
        if self.primary.is_none() {
            self.primary = Some(remote_id.clone());
        }
        if let Some(order) = department.order {
            self.orders.insert(remote_id.clone(), json!(order));
        }
        if let Some(title) = &department.title {
            self.titles.insert(remote_id.clone(), json!(title));
        }
        self.paths.insert(remote_id.clone(), path(&department.path));
        self.org_units.insert(remote_id);
    }
}

impl Job<'_> {
    /// Notes where a person belongs, which makes departments that are missing. In `rehearsal` nobody waits for one.
    pub(crate) async fn place(&self, departments: &[Department], rehearsal: bool) -> Result<Placed, Interrupt> {
        let wanted: Vec<WantedPlace<'_>> = departments
            .iter()
            .filter(|department| !department.path.is_empty())
            .map(|department| WantedPlace { path: &department.path, head: department.head })
            .collect();
        let units = self.store.place(self.claim, &wanted).await?.ok_or(Interrupt::LostClaim)?;
        let mut placing = Placing::default();
        let mut rows = units.iter();
        for department in departments {
            let remote_id = if department.path.is_empty() {
                self.ready.connector.root_org_unit().to_owned()
            } else {
                let Some(unit) = rows.next() else { continue };
                let name = department.path.last().map_or("", |unit| unit.name.as_str());
                match self.store.unit_remote_id(self.claim, *unit).await? {
                    Some(remote_id) => remote_id,
                    None if rehearsal => {
                        placing.awaited.get_or_insert_with(|| (*unit, name.to_owned()));
                        format!("new:{unit}")
                    }
                    None => return Ok(Placed::Waits(report::waits_for_department(*unit, name))),
                }
            };
            placing.add(department, remote_id);
        }
        placing.units = units;
        Ok(Placed::At(self.completed(placing)))
    }

    /// Looks where a person would belong, and changes nothing. A department that is in doubt is the same one until it is
    /// known to be gone.
    pub(crate) async fn look_up(&self, departments: &[Department]) -> Result<Placing, Interrupt> {
        let mut found = Vec::with_capacity(departments.len());
        for department in departments {
            found.push(match self.store.find_unit(self.claim, &department.path).await? {
                Some(unit) => Some((unit, self.store.unit_believed_id(self.claim, unit).await?)),
                None => None,
            });
        }
        Ok(self.found_at(departments.iter().zip(found)))
    }

    /// Where a person would belong, if these are their departments and what was found of each: the row, and the remote id
    /// once it is at the target.
    pub(crate) fn found_at<'a>(
        &self,
        found: impl IntoIterator<Item = (&'a Department, Option<(Uuid, Option<String>)>)>,
    ) -> Placing {
        let mut placing = Placing::default();
        for (department, unit) in found {
            let remote_id = if department.path.is_empty() {
                self.ready.connector.root_org_unit().to_owned()
            } else {
                let (unit, remote_id) = unit.map_or((None, None), |(unit, remote_id)| (Some(unit), remote_id));
                placing.units.extend(unit);
                remote_id.unwrap_or_else(|| format!("new:{}", path(&department.path)))
            };
            placing.add(department, remote_id);
        }
        self.completed(placing)
    }

    fn completed(&self, mut placing: Placing) -> Placing {
        placing.units.sort_unstable();
        placing.units.dedup();
        if placing.org_units.is_empty() {
            placing.org_units.insert(self.ready.connector.root_org_unit().to_owned());
        }
        // Of one department there is no need to say which is the first.
        if placing.org_units.len() == 1 {
            placing.primary = None;
        }
        placing
    }
}

fn path(units: &[OrgName]) -> String {
    let names: Vec<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    names.join(" / ")
}
