//! Who is who in a scanned organisation: loaded page by page, of which only the keys are kept, and then compared.

use crate::connectors::Ready;
use crate::delivery::Shared;
use crate::scan::Hindrance;
use rollcall_provisioning::correlation::{Keys, Pair, Settled, Verdict, correlate};
use rollcall_provisioning::entity;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{GroupFacts, Mapping, Person, PersonKind, SourceFacts};
use rollcall_store::adoption::{Bucket, Correlation, FoundAccount, NewPair, ScanClaim};
use rollcall_store::facts::{FactsOf, PersonFacts};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// How many are loaded at once.
const PAGE: i64 = 1_000;

/// People or accounts, and what they are recognised by, in the same order.
struct Side<T> {
    ids: Vec<T>,
    keys: Vec<Keys>,
}

impl Shared {
    /// Finds out who is who and keeps it.
    pub(crate) async fn correlate(&self, claim: &ScanClaim, ready: &Ready) -> Result<(), Hindrance> {
        let people = self.people(claim, &ready.mapping).await?;
        let accounts = self.accounts(claim).await?;
        let known = self.store.settled_pairs(claim).await?;
        let weights = self.store.weights(claim.tenant, claim.target).await?.ok_or(Hindrance::Lost)?;
        self.held(claim).await?;
        let pairs = in_background(move || {
            let settled = settled(&known, &people.ids, &accounts.ids);
            let found = correlate(&people.keys, &accounts.keys, &settled, &weights);
            // Whoever was not seen may be the one to whom a key points.
            let complete = known.found >= known.expected;
            let mut pairs: Vec<NewPair> =
                found.pairs.iter().filter_map(|pair| of_pair(pair, &people.ids, &accounts.ids, complete)).collect();
            pairs.extend(
                found.only_in_directory.iter().filter_map(|at| people.ids.get(*at)).map(|id| alone(Some(*id), None)),
            );
            pairs.extend(
                found
                    .only_in_target
                    .iter()
                    .filter_map(|at| accounts.ids.get(*at))
                    .map(|id| alone(None, Some(id.clone()))),
            );
            pairs
        })
        .await?;
        if self.store.keep_candidates(claim, &pairs).await? { Ok(()) } else { Err(Hindrance::Lost) }
    }

    async fn people(&self, claim: &ScanClaim, mapping: &Arc<Mapping>) -> Result<Side<ResourceId>, Hindrance> {
        let mut side = Side { ids: Vec::new(), keys: Vec::new() };
        let mut after = Uuid::nil();
        loop {
            self.held(claim).await?;
            let page = self.store.person_facts(claim.tenant, FactsOf::Everybody, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(side) };
            after = last.id.0;
            let mapping = Arc::clone(mapping);
            let keyed = in_background(move || {
                page.iter().filter_map(|person| Some((person.id, keys(&mapping, person)?))).collect::<Vec<_>>()
            })
            .await?;
            for (id, keys) in keyed {
                side.ids.push(id);
                side.keys.push(keys);
            }
        }
    }

    async fn accounts(&self, claim: &ScanClaim) -> Result<Side<String>, Hindrance> {
        let paths = self.store.unit_path_keys(claim).await?;
        let mut side = Side { ids: Vec::new(), keys: Vec::new() };
        loop {
            self.held(claim).await?;
            let after = side.ids.last().map(String::as_str);
            let page = self.store.accounts_to_correlate(claim, after, PAGE).await?;
            if page.is_empty() {
                return Ok(side);
            }
            for FoundAccount { remote_id, attributes } in page {
                let units = attributes.get(entity::ORG_UNITS).and_then(Value::as_array);
                let units = units.into_iter().flatten().filter_map(Value::as_str);
                let departments = units.filter_map(|unit| paths.get(unit).cloned()).collect();
                side.keys.push(Keys::of_account(&attributes, departments));
                side.ids.push(remote_id);
            }
        }
    }
}

/// The keys of a person who is to have an account, by the same facts that a delivery asks the rules about.
fn keys(mapping: &Mapping, person: &PersonFacts) -> Option<Keys> {
    let id = person.id.to_string();
    let groups: Vec<GroupFacts<'_>> =
        person.groups.iter().map(|group| GroupFacts { id: &group.id, resource: &group.attributes }).collect();
    let source = person.source.as_ref().map(|(name, profile)| SourceFacts::new(name, profile));
    let mapped =
        mapping.person(&Person { id: &id, resource: &person.attributes, groups: &groups, source: source.as_ref() });
    (mapped.scope.included && mapped.kind != PersonKind::Contact).then(|| Keys::of_person(&person.attributes, &mapped))
}

/// What is decided already, in positions.
fn settled(known: &Correlation, people: &[ResourceId], accounts: &[String]) -> Settled {
    let people: HashMap<ResourceId, usize> = people.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let accounts: HashMap<&str, usize> = accounts.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    // Whoever is linked to somebody who is not here (an account of a person who has left) is nobody else all the same.
    let mut away = accounts.len().max(people.len());
    let mut other = || {
        away += 1;
        away
    };
    let mut settled = Settled::default();
    for (resource, remote_id) in &known.linked {
        match (people.get(resource).copied(), accounts.get(remote_id.as_str()).copied()) {
            (None, None) => {}
            (person, account) => {
                settled.linked.push((person.unwrap_or_else(&mut other), account.unwrap_or_else(&mut other)));
            }
        }
    }
    for (resource, remote_id) in &known.refused {
        if let (Some(person), Some(account)) = (people.get(resource), accounts.get(remote_id.as_str())) {
            settled.refused.insert((*person, *account));
        }
    }
    settled
}

fn of_pair(pair: &Pair, people: &[ResourceId], accounts: &[String], complete: bool) -> Option<NewPair> {
    let words =
        |keys: &[rollcall_provisioning::correlation::Key]| keys.iter().map(|key| key.as_str().to_owned()).collect();
    let bucket = match pair.verdict {
        Verdict::Linked if complete => Bucket::Linked,
        Verdict::Linked | Verdict::Suggested => Bucket::Suggested,
        Verdict::Contradiction => Bucket::Contradiction,
    };
    Some(NewPair {
        bucket,
        resource: Some(*people.get(pair.person)?),
        remote_id: Some(accounts.get(pair.account)?.clone()),
        score: pair.score,
        keys: words(&pair.keys),
        differs: words(&pair.differs),
    })
}

fn alone(resource: Option<ResourceId>, remote_id: Option<String>) -> NewPair {
    let bucket = if resource.is_some() { Bucket::OnlyInDirectory } else { Bucket::OnlyInTarget };
    NewPair { bucket, resource, remote_id, score: 0, keys: Vec::new(), differs: Vec::new() }
}

/// Thinks where nobody else is kept waiting.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Hindrance> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a correlation ended abnormally");
        Hindrance::Defect
    })
}
