//! What the script's SCIM client has written and been told is written: the simple truth that the rest is measured by.

use std::collections::BTreeSet;

use anyhow::anyhow;
use rollcall_provisioning::ids::{ResourceId, SourceId, TenantId};
use rollcall_scim::patch::{Detached, DetachedChange};
use rollcall_scim::profile::ManagerBy;
use rollcall_scim::resource::Resource;
use rollcall_store::Store;
use rollcall_store::groups::{GroupUpdate, StoredGroup};
use rollcall_store::users::{Namesake, StoredUser, UserView};
use rollcall_store::write::Actor;
use serde_json::{Map, Value, json};

use super::script::{Boss, Circle, PEOPLE, PLACES, Put, Type};

const ENTERPRISE: &str = rollcall_scim::schema::enterprise::URN;

/// The number that belongs to a person from the beginning.
pub(crate) fn mobile(person: usize) -> String {
    format!("1380000{person:04}")
}

/// A person, as the client last wrote them.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) id: ResourceId,
    pub(crate) active: bool,
    pub(crate) deleted: bool,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) email: Option<String>,
    /// As sent; `None` is none, and it may be one that cannot be used.
    pub(crate) mobile: Option<String>,
    pub(crate) job_number: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) place: usize,
    pub(crate) boss: Boss,
    /// The resource that the boss was when they were named.
    pub(crate) boss_id: Option<String>,
    pub(crate) user_type: Type,
}

impl Person {
    /// Whether they are to have an account.
    pub(crate) fn is_present(&self) -> bool {
        self.active && !self.deleted
    }

    /// Whether there is a number that DingTalk can take.
    pub(crate) fn has_number(&self) -> bool {
        self.mobile.as_deref().is_some_and(|mobile| mobile.starts_with('1'))
    }

    fn apply(&mut self, put: Put, boss_id: Option<String>) {
        let numbered = |what: &str, number: Option<usize>| number.map(|number| format!("{what}{number}"));
        match put {
            Put::Name(number) => self.name = format!("Person {} {number}", self.number),
            Put::Title(number) => self.title = numbered("Title ", number),
            Put::Email(number) => self.email = number.map(|number| format!("e{number}@x.test")),
            Put::Mobile(number) if number == PEOPLE => self.mobile = None,
            Put::Mobile(number) if number > PEOPLE => self.mobile = Some("ask reception".to_owned()),
            Put::Mobile(number) => self.mobile = Some(mobile(number)),
            Put::JobNumber(number) => self.job_number = numbered("J", number),
            Put::Project(number) => self.project = numbered("Project ", number),
            Put::Place(place) => self.place = place,
            Put::Boss(boss) => (self.boss, self.boss_id) = (boss, boss_id),
            Put::Active(active) => self.active = active,
            Put::Type(user_type) => self.user_type = user_type,
        }
    }

    /// The resource as a client writes it.
    pub(crate) fn resource(&self) -> Map<String, Value> {
        let (division, department) = PLACES.get(self.place).copied().unwrap_or_default();
        let mut enterprise = Map::new();
        let mut say = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                enterprise.insert(name.to_owned(), value);
            }
        };
        say("division", division.map(Value::from));
        say("department", department.map(Value::from));
        say("employeeNumber", self.job_number.clone().map(Value::from));
        say("costCenter", self.project.clone().map(Value::from));
        say("manager", self.boss_id.as_ref().map(|id| json!({ "value": id })));
        let mut map = Map::new();
        map.insert("userName".to_owned(), json!(format!("p{}", self.number)));
        map.insert("displayName".to_owned(), json!(self.name));
        map.insert("active".to_owned(), json!(self.active));
        if let Some(mobile) = &self.mobile {
            map.insert("phoneNumbers".to_owned(), json!([{ "value": mobile, "type": "mobile" }]));
        }
        if let Some(email) = &self.email {
            map.insert("emails".to_owned(), json!([{ "value": email, "type": "work" }]));
        }
        if let Some(title) = &self.title {
            map.insert("title".to_owned(), json!(title));
        }
        if self.user_type != Type::Unsaid {
            map.insert("userType".to_owned(), json!(format!("{:?}", self.user_type)));
        }
        if !enterprise.is_empty() {
            map.insert(ENTERPRISE.to_owned(), Value::Object(enterprise));
        }
        map
    }
}

/// A group, as the client last wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    number: usize,
    pub(crate) id: ResourceId,
    pub(crate) name: String,
    pub(crate) members: BTreeSet<ResourceId>,
    pub(crate) deleted: bool,
}

/// Everybody that there ever was, their groups, and the client that writes them.
pub(crate) struct Directory {
    pub(crate) tenant: TenantId,
    pub(crate) source: SourceId,
    pub(crate) people: Vec<Person>,
    pub(crate) groups: Vec<Group>,
}

impl Directory {
    pub(crate) fn new(tenant: TenantId, source: SourceId) -> Self {
        Self { tenant, source, people: Vec::new(), groups: Vec::new() }
    }

    fn actor(&self) -> Actor {
        Actor { tenant: self.tenant, source: self.source, manager_by: ManagerBy::Id, request_id: "request".to_owned() }
    }

    /// The person of that number who is not deleted.
    pub(crate) fn living(&self, number: usize) -> Option<&Person> {
        self.people.iter().find(|person| person.number == number && !person.deleted)
    }

    fn boss_id(&self, boss: Boss) -> Option<String> {
        match boss {
            Boss::Nobody => None,
            Boss::Unknown => Some("01980000-ffff-7000-8000-000000000000".to_owned()),
            Boss::Person(number) => self.living(number).map(|person| person.id.to_string()),
        }
    }

    /// Creates a person, unless they are there.
    pub(crate) async fn create(
        &mut self,
        store: &Store,
        number: usize,
        place: usize,
        (boss, user_type): (Boss, Type),
    ) -> anyhow::Result<()> {
        if self.living(number).is_some() {
            return Ok(());
        }
        let mut person = Person {
            number,
            id: ResourceId(uuid::Uuid::nil()),
            active: true,
            deleted: false,
            name: format!("Person {number}"),
            title: Some("Title 0".to_owned()),
            email: Some(format!("p{number}@x.test")),
            mobile: Some(mobile(number)),
            job_number: None,
            project: None,
            place,
            boss,
            boss_id: self.boss_id(boss),
            user_type,
        };
        let resource = Resource::from_map(person.resource());
        person.id = store.create_user(&self.actor(), resource, Namesake::Ignored).await?.id;
        self.people.push(person);
        Ok(())
    }

    /// Changes one thing of a person, if they are there.
    pub(crate) async fn put(&mut self, store: &Store, number: usize, put: Put) -> anyhow::Result<()> {
        let boss_id = if let Put::Boss(boss) = put { self.boss_id(boss) } else { None };
        let actor = self.actor();
        let Some(person) = self.people.iter_mut().find(|person| person.number == number && !person.deleted) else {
            return Ok(());
        };
        person.apply(put, boss_id);
        let wanted = person.resource();
        let change = |_: &StoredUser| Ok::<_, std::convert::Infallible>(Resource::from_map(wanted.clone()));
        let done = store.update_user(&actor, person.id, UserView::default(), change).await;
        done.map(drop).map_err(|error| anyhow!("{error:?}"))
    }

    /// Deletes a person, if they are there.
    pub(crate) async fn delete(&mut self, store: &Store, number: usize) -> anyhow::Result<()> {
        let actor = self.actor();
        let Some(person) = self.people.iter_mut().find(|person| person.number == number && !person.deleted) else {
            return Ok(());
        };
        person.deleted = true;
        let id = person.id;
        store
            .delete_user(&actor, id, |_| Ok::<_, std::convert::Infallible>(()))
            .await
            .map_err(|error| anyhow!("{error:?}"))?;
        // Nobody who is deleted stays anybody's manager, or in a group.
        for group in &mut self.groups {
            group.members.remove(&id);
        }
        let reports = self.people.iter_mut().filter(|other| other.id != id && !other.deleted);
        for report in reports.filter(|other| other.boss_id == Some(id.to_string())) {
            (report.boss, report.boss_id) = (Boss::Nobody, None);
        }
        Ok(())
    }

    /// Changes a group, which is made when it is not there and is to be.
    pub(crate) async fn circle(&mut self, store: &Store, number: usize, circle: Circle) -> anyhow::Result<()> {
        let actor = self.actor();
        let person = |number: usize| self.living(number).map(|person| person.id);
        let (joins, parts) = match circle {
            Circle::With(number) => (person(number), None),
            Circle::Without(number) => (None, person(number)),
            Circle::Called(_) | Circle::Gone => (None, None),
        };
        let others: Vec<String> =
            self.groups.iter().filter(|one| !one.deleted && one.number != number).map(|one| one.name.clone()).collect();
        let free = |name: String| Some(name).filter(|name| !others.contains(name));
        let Some(group) = self.groups.iter_mut().find(|group| group.number == number && !group.deleted) else {
            let Some(name) = free(format!("Group {number}")).filter(|_| circle != Circle::Gone) else { return Ok(()) };
            let members: Vec<String> = joins.iter().map(ToString::to_string).collect();
            let id = store.create_group(&actor, named(&name), &members).await?.id;
            self.groups.push(Group { number, id, name, members: joins.into_iter().collect(), deleted: false });
            return Ok(());
        };
        if circle == Circle::Gone {
            group.deleted = true;
            let done = store.delete_group(&actor, group.id, |_| Ok::<_, std::convert::Infallible>(())).await;
            return done.map_err(|error| anyhow!("{error:?}"));
        }
        if let Circle::Called(name) = circle
            && let Some(name) = free(format!("Group {name}"))
        {
            group.name = name;
        }
        group.members.extend(joins);
        if let Some(id) = parts {
            group.members.remove(&id);
        }
        let elements = |id: Option<ResourceId>| id.map(|id| vec![json!({ "value": id.to_string() })]);
        let changes = [elements(joins).map(Detached::Add), elements(parts).map(Detached::RemoveValues)];
        let changes = changes.into_iter().flatten();
        let changes: Vec<DetachedChange> =
            changes.map(|change| DetachedChange { attribute: "members".to_owned(), change }).collect();
        let wanted = named(&group.name);
        let change = |_: &StoredGroup| Ok::<_, std::convert::Infallible>((wanted.clone(), changes.clone()));
        let done = store.update_group(&actor, group.id, GroupUpdate::default(), change).await;
        done.map(drop).map_err(|error| anyhow!("{error:?}"))
    }
}

fn named(group: &str) -> Resource {
    let mut map = Map::new();
    map.insert("displayName".to_owned(), json!(group));
    Resource::from_map(map)
}
