//! Taking back what was done: what a person undoes, what is held since, and whether it may have ended.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_dingtalk::DingTalkSchema;
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::projection::{NewUndo, UndoScope};
use serde_json::{Value, json};
use sqlx::FromRow;
use time::Duration;
use uuid::Uuid;

use super::directory::Person;
use super::rules::Rules;
use super::run::Run;

/// What a person takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undoing {
    /// What was done since so many milliseconds ago.
    Since(u64),
    /// The same to one person alone.
    To(usize, u64),
    /// What a plan that was applied has sent; they are counted through.
    Plan(usize),
    /// What followed from the newest version of the mapping.
    Version,
}

/// An attribute that is held against the rules, as the table says.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Held {
    pub(crate) id: i64,
    pub(crate) resource_kind: String,
    pub(crate) resource_id: Uuid,
    pub(crate) attribute: String,
    /// At what; null is no value.
    pub(crate) value: Value,
    /// What the rules wanted instead.
    pub(crate) against: Value,
    /// Whether it has ended without anybody's doing.
    ended_by_itself: bool,
    ended: bool,
}

/// What was held since an undo, and is not to end by itself while the wish stays the same.
#[derive(Default)]
pub(crate) struct Promises {
    /// Numbers of overrides that the rules have wanted something else than they were made against, or that left the person.
    released: BTreeSet<i64>,
    /// Titles that people are or were held at.
    pub(crate) titles: BTreeMap<ResourceId, BTreeSet<String>>,
}

/// What the rules want of an attribute of a person, as an override keeps it; `None` for what is not known here.
pub(crate) fn wish(rules: &Rules, person: &Person, attribute: &str) -> Option<Value> {
    let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
    Some(match attribute {
        "name" => json!(person.name),
        "title" => text(rules.title(person)),
        "email" => text(person.email.clone()),
        "job_number" => text(person.job_number.clone()),
        "extension.project" if rules.field => text(person.project.clone()),
        "account" => json!(true),
        "org_units" => json!(rules.paths(person)),
        _ => return None,
    })
}

/// The same places, in whatever order.
pub(crate) fn same(attribute: &str, one: &Value, other: &Value) -> bool {
    let set = |value: &Value| {
        value.as_array().map(|places| places.iter().map(ToString::to_string).collect::<BTreeSet<String>>())
    };
    one == other || attribute == "org_units" && set(one) == set(other)
}

impl Run<'_> {
    /// Everything that is or was held.
    pub(crate) async fn overrides(&mut self) -> anyhow::Result<Vec<Held>> {
        let sql = "SELECT id, resource_kind, resource_id, attribute, COALESCE(value, 'null') AS value,
                          COALESCE(against, 'null') AS against, ended_at IS NOT NULL AS ended,
                          ended_at IS NOT NULL AND ended_by IS NULL AS ended_by_itself
                   FROM overrides ORDER BY id";
        Ok(sqlx::query_as(sql).fetch_all(&mut self.stage.admin).await?)
    }

    /// Makes a plan that takes back, and mostly applies it, with the word of two people where a guard wants that.
    pub(crate) async fn undo(&mut self, what: Undoing, at_once: bool) -> anyhow::Result<()> {
        let (store, tenant) = (self.stage.store.clone(), self.directory.tenant);
        let now = rollcall_provisioning::time::Clock::now(&*self.stage.clock);
        let since = |ms: u64| Some(now - Duration::milliseconds(i64::try_from(ms).unwrap_or(i64::MAX)));
        let mut scope = UndoScope::default();
        match what {
            Undoing::Since(ms) => scope.from = since(ms),
            Undoing::To(number, ms) => {
                let Some(person) = self.directory.living(number) else { return Ok(()) };
                scope = UndoScope { people: vec![person.id], from: since(ms), ..scope };
            }
            Undoing::Plan(number) => {
                let applied: Vec<Uuid> =
                    self.plans.iter().filter(|plan| self.watch.applied.contains(plan)).copied().collect();
                let Some(at) = number.checked_rem(applied.len()) else { return Ok(()) };
                scope.plan = applied.get(at).copied();
            }
            Undoing::Version => scope.mapping_version = i32::try_from(self.watch.versions.len()).ok(),
        }
        let targets = store.targets(tenant).await?;
        let guards = targets.into_iter().next().map(|target| target.guards).unwrap_or_default();
        let new = NewUndo {
            target: self.target,
            scope: &scope,
            guards: &guards,
            by: "ann",
            reason: "it was wrong",
            review_on: None,
            schema: &DingTalkSchema,
            root: "1",
        };
        let Some(plan) = store.make_undo(tenant, &new).await? else {
            self.note("nothing to undo");
            return Ok(());
        };
        self.plans.push(plan);
        if at_once {
            let done = self.release_and_apply(plan).await;
            self.refused(done)?;
        }
        Ok(())
    }

    /// Somebody lets the rules count again for one of the attributes that are held.
    pub(crate) async fn lift(&mut self, number: usize) -> anyhow::Result<()> {
        let live: Vec<i64> =
            self.overrides().await?.into_iter().filter(|held| !held.ended).map(|held| held.id).collect();
        let Some(id) = number.checked_rem(live.len()).and_then(|at| live.get(at)) else { return Ok(()) };
        self.stage.store.lift_override(self.directory.tenant, *id, "ann", "request").await?;
        Ok(())
    }

    /// The rules count again for everything.
    pub(crate) async fn lift_everything(&mut self) -> anyhow::Result<bool> {
        let live: Vec<Held> = self.overrides().await?.into_iter().filter(|held| !held.ended).collect();
        for held in &live {
            self.stage.store.lift_override(self.directory.tenant, held.id, "ann", "request").await?;
        }
        Ok(!live.is_empty())
    }

    /// Notes of what is held whether it may end by itself from now on: as soon as the wish is not what it was made
    /// against. Asked after everything that a person or a client does.
    pub(crate) async fn keep_promises(&mut self) -> anyhow::Result<()> {
        for held in self.overrides().await? {
            let id = ResourceId(held.resource_id);
            if held.attribute == "title" {
                let title = held.value.as_str().unwrap_or_default().to_owned();
                self.watch.promises.titles.entry(id).or_default().insert(title);
            }
            let person = self.directory.people.iter().find(|person| person.id == id);
            let same = person.is_some_and(|person| {
                person.is_present()
                    && wish(&self.rules, person, &held.attribute)
                        .is_some_and(|wish| same(&held.attribute, &wish, &held.against))
            });
            if !same {
                self.watch.promises.released.insert(held.id);
            }
        }
        Ok(())
    }

    /// Says which overrides have ended although nobody wanted anything else.
    pub(crate) async fn judge_promises(&mut self) -> anyhow::Result<()> {
        for held in self.overrides().await? {
            if held.ended_by_itself && !self.watch.promises.released.contains(&held.id) {
                self.watch.wrongs.push(format!("what was held has ended by itself: {held:?}"));
            }
        }
        Ok(())
    }
}

impl Held {
    /// Whether it counts.
    pub(crate) const fn is_live(&self) -> bool {
        !self.ended
    }
}
