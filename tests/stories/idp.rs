//! An identity provider's provisioning job: it remembers what it has pushed, and pushes what has changed since.

use std::future::Future;

use anyhow::Context;
use tokio::task::JoinSet;

use crate::company::{Company, Group, Person};
use crate::drivers::{Driver, GroupChange, Known};
use crate::endpoint::Endpoint;

/// Requests under way at once.
const AT_ONCE: usize = 8;

/// The job of one app.
#[derive(Debug)]
pub(crate) struct Idp {
    driver: Driver,
    scim: Endpoint,
    /// By the person's number.
    people: Vec<Known>,
    groups: Vec<(String, Group)>,
}

impl Idp {
    /// A job that has pushed nothing yet.
    pub(crate) fn new(driver: Driver, scim: Endpoint) -> Self {
        let scim = scim.with_flag(driver.flag());
        Self { driver, scim, people: Vec::new(), groups: Vec::new() }
    }

    /// The button "Test connection".
    pub(crate) async fn test_connection(&self) -> anyhow::Result<()> {
        self.driver.test_connection(&self.scim).await
    }

    /// The SCIM id of a person who has been pushed.
    pub(crate) fn id(&self, number: usize) -> anyhow::Result<&str> {
        let known = self.people.get(number).with_context(|| format!("person {number} was not pushed"))?;
        Ok(&known.id)
    }

    /// One cycle: joiners, managers, changes of people, groups.
    pub(crate) async fn push(&mut self, company: &Company) -> anyhow::Result<()> {
        while self.people.len() < company.people.len() {
            self.create_people(company).await?;
        }
        self.update_people(company).await?;
        for group in company.groups.iter().skip(self.groups.len()) {
            let id = self.driver.create_group(&self.scim, group).await?;
            self.groups.push((id, Group { name: group.name.clone(), ..Group::default() }));
        }
        self.change_groups(company).await
    }

    /// A full cycle that an admin restarts: every profile is looked up and sent again as it is.
    pub(crate) async fn push_everything_again(&mut self, company: &Company) -> anyhow::Result<()> {
        let mut jobs = Vec::new();
        for known in &self.people {
            let (driver, scim, known) = (self.driver, self.scim.clone(), known.clone());
            jobs.push(async move {
                let found = driver.look_up(&scim, &known.person).await?;
                anyhow::ensure!(found.as_deref() == Some(known.id.as_str()), "{known:?} is found as {found:?}");
                driver.set_active(&scim, &known, known.person.active).await?;
                driver.update(&scim, &known, &known).await
            });
        }
        in_parallel(jobs).await?;
        self.push(company).await
    }

    /// Creates the next people whose managers have ids.
    async fn create_people(&mut self, company: &Company) -> anyhow::Result<()> {
        let known = self.people.len();
        let new = company.people.iter().skip(known);
        let ready = |person: &&Person| self.driver.sends_managers_later() || person.manager.is_none_or(|at| at < known);
        let jobs = new.take_while(ready).map(|person| {
            let (driver, scim, person) = (self.driver, self.scim.clone(), person.clone());
            let manager = person.manager.filter(|_| !driver.sends_managers_later());
            let manager_id = manager.and_then(|at| Some(self.people.get(at)?.id.clone()));
            async move { join(driver, &scim, person, manager_id).await }
        });
        let made = in_parallel(jobs.collect()).await?;
        anyhow::ensure!(!made.is_empty(), "the managers of the company form a circle");
        self.people.extend(made);
        Ok(())
    }

    async fn update_people(&mut self, company: &Company) -> anyhow::Result<()> {
        let manager_id = |person: &Person| {
            person.manager.map(|at| self.people.get(at).map(|known| known.id.clone()).context("no such manager"))
        };
        let mut jobs = Vec::new();
        for (before, person) in self.people.iter().zip(&company.people) {
            let (driver, scim, before) = (self.driver, self.scim.clone(), before.clone());
            let manager_id = manager_id(person).transpose()?;
            let after = Known { id: before.id.clone(), person: person.clone(), manager_id };
            jobs.push(async move {
                bring_up_to_date(driver, &scim, &before, &after).await?;
                Ok(after)
            });
        }
        self.people = in_parallel(jobs).await?;
        Ok(())
    }

    async fn change_groups(&mut self, company: &Company) -> anyhow::Result<()> {
        let pair = |number: usize| {
            let known = self.people.get(number);
            known.map(|known| (known.id.clone(), known.person.display_name())).context("no such member")
        };
        let pairs = |numbers: &mut dyn Iterator<Item = usize>| numbers.map(pair).collect::<anyhow::Result<Vec<_>>>();
        let mut jobs = Vec::new();
        for ((id, before), after) in self.groups.iter().zip(&company.groups).filter(|((_, old), new)| old != *new) {
            let change = GroupChange {
                id: id.clone(),
                before: before.clone(),
                after: after.clone(),
                added: pairs(&mut after.members.difference(&before.members).copied())?,
                removed: pairs(&mut before.members.difference(&after.members).copied())?,
                members: pairs(&mut after.members.iter().copied())?,
            };
            let (driver, scim) = (self.driver, self.scim.clone());
            jobs.push(async move { driver.change_group(&scim, &change).await });
        }
        in_parallel(jobs).await?;
        for ((_, group), after) in self.groups.iter_mut().zip(&company.groups) {
            group.clone_from(after);
        }
        Ok(())
    }
}

/// Looks somebody up and creates them. Whoever is there already (the answer to an earlier try was lost) is linked and
/// brought up to date.
async fn join(driver: Driver, scim: &Endpoint, person: Person, manager_id: Option<String>) -> anyhow::Result<Known> {
    let found = match driver.look_up(scim, &person).await? {
        Some(id) => Some(id),
        None => match driver.create(scim, &person, manager_id.as_deref()).await? {
            Some(id) => return Ok(Known { id, person, manager_id }),
            None => driver.look_up(scim, &person).await?,
        },
    };
    let id = found.with_context(|| format!("409 for {}, whom nobody finds", person.user_name))?;
    let known = Known { id, person, manager_id };
    driver.update(scim, &Known { manager_id: None, ..known.clone() }, &known).await?;
    Ok(known)
}

async fn bring_up_to_date(driver: Driver, scim: &Endpoint, before: &Known, after: &Known) -> anyhow::Result<()> {
    let (was, is) = (before.person.active, after.person.active);
    let same_but_active = Known { person: Person { active: is, ..before.person.clone() }, ..before.clone() };
    if was != is {
        driver.set_active(scim, &same_but_active, is).await?;
    }
    if same_but_active.person != after.person || before.manager_id != after.manager_id {
        driver.update(scim, &same_but_active, after).await?;
    }
    Ok(())
}

/// Runs jobs side by side and returns their results in order.
pub(crate) async fn in_parallel<T: Send + 'static>(
    jobs: Vec<impl Future<Output = anyhow::Result<T>> + Send + 'static>,
) -> anyhow::Result<Vec<T>> {
    let mut running = JoinSet::new();
    let mut done: Vec<(usize, T)> = Vec::with_capacity(jobs.len());
    for (index, job) in jobs.into_iter().enumerate() {
        if running.len() >= AT_ONCE
            && let Some(finished) = running.join_next().await
        {
            done.push(finished??);
        }
        running.spawn(async move { job.await.map(|result| (index, result)) });
    }
    while let Some(finished) = running.join_next().await {
        done.push(finished??);
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
