//! Pairs of people and accounts: found over an index of their keys, so that nobody is compared with everybody.

use super::{Key, Keys, Weights};
use std::collections::{HashMap, HashSet};

/// A value that more than this many people, or accounts, have says nothing about any of them: a number that stands for
/// "none", the address of a whole team.
pub const MOST_SHARING: usize = 20;

/// What is decided already, in positions of people and accounts.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Pairs that are linked.
    pub linked: Vec<(usize, usize)>,
    /// Pairs that a person has refused.
    pub refused: HashSet<(usize, usize)>,
}

/// What becomes of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// They are the same: two independent keys agree, and nothing speaks against it.
    Linked,
    /// They may be the same; a person looks.
    Suggested,
    /// A key of one of them points to somebody else.
    Contradiction,
}

impl Verdict {
    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Suggested => "suggested",
            Self::Contradiction => "contradiction",
        }
    }
}

/// A person and an account that have a key in common.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// Position of the person.
    pub person: usize,
    /// Position of the account.
    pub account: usize,
    /// The sum of the weights.
    pub score: u32,
    /// The keys that agree, the heaviest first.
    pub keys: Vec<Key>,
    /// The keys that both have and that differ, of those that only one person can have.
    pub differs: Vec<Key>,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// Who is who.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Correlated {
    /// Pairs by the positions of people and accounts. Those that were linked before are not among them.
    pub pairs: Vec<Pair>,
    /// People for whom there is no account.
    pub only_in_directory: Vec<usize>,
    /// Accounts for whom there is no person.
    pub only_in_target: Vec<usize>,
}

/// A value of a key that can lead from a person to an account.
type Value<'k> = (Key, &'k str);

/// Who has a value; at most one more than [`MOST_SHARING`] of each.
#[derive(Default)]
struct Holders {
    people: Vec<usize>,
    accounts: Vec<usize>,
}

/// Finds who is who. Takes memory for each value of a key and each pair that shares one, never for all pairs.
pub fn correlate(people: &[Keys], accounts: &[Keys], settled: &Settled, weights: &Weights) -> Correlated {
    let index = index(people, accounts, weights);
    let worthless: HashSet<Value<'_>> = index
        .iter()
        .filter(|(_, holders)| holders.people.len() > MOST_SHARING || holders.accounts.len() > MOST_SHARING)
        .map(|(value, _)| *value)
        .collect();
    let linked: HashSet<(usize, usize)> = settled.linked.iter().copied().collect();
    let mut found: HashSet<(usize, usize)> = HashSet::new();
    for (value, holders) in &index {
        if worthless.contains(value) {
            continue;
        }
        for person in &holders.people {
            let all = holders.accounts.iter().map(|account| (*person, *account));
            found.extend(all.filter(|pair| !linked.contains(pair) && !settled.refused.contains(pair)));
        }
    }
    let (mut of_people, mut of_accounts) = (HashMap::new(), HashMap::new());
    for (person, account) in found.iter().chain(&linked) {
        *of_people.entry(*person).or_insert(0_usize) += 1;
        *of_accounts.entry(*account).or_insert(0_usize) += 1;
    }
    let mut pairs: Vec<Pair> = found
        .into_iter()
        .filter_map(|(person, account)| {
            let alone = of_people.get(&person) == Some(&1) && of_accounts.get(&account) == Some(&1);
            let mut pair = score(people.get(person)?, accounts.get(account)?, &worthless, weights);
            (pair.person, pair.account) = (person, account);
            pair.verdict = judge(&pair, alone, weights)?;
            Some(pair)
        })
        .collect();
    pairs.sort_unstable_by_key(|pair| (pair.person, pair.account));
    let paired = |side: fn(&(usize, usize)) -> usize| -> HashSet<usize> {
        pairs
            .iter()
            .map(|pair| (pair.person, pair.account))
            .chain(linked.iter().copied())
            .map(|pair| side(&pair))
            .collect()
    };
    let (paired_people, paired_accounts) = (paired(|pair| pair.0), paired(|pair| pair.1));
    Correlated {
        only_in_directory: (0..people.len()).filter(|person| !paired_people.contains(person)).collect(),
        only_in_target: (0..accounts.len()).filter(|account| !paired_accounts.contains(account)).collect(),
        pairs,
    }
}

/// `None`: too little agrees to speak of it.
fn judge(pair: &Pair, alone: bool, weights: &Weights) -> Option<Verdict> {
    if !alone {
        return Some(Verdict::Contradiction);
    }
    let certain = pair.score >= weights.link_at() && pair.keys.len() >= 2 && !pair.differs.contains(&Key::JobNumber);
    if certain {
        return Some(Verdict::Linked);
    }
    (pair.score >= weights.suggest_at()).then_some(Verdict::Suggested)
}

fn index<'k>(people: &'k [Keys], accounts: &'k [Keys], weights: &Weights) -> HashMap<Value<'k>, Holders> {
    let mut index: HashMap<Value<'_>, Holders> = HashMap::new();
    for (position, keys) in people.iter().enumerate() {
        for value in values(keys, weights) {
            let holders = &mut index.entry(value).or_default().people;
            if holders.len() <= MOST_SHARING {
                holders.push(position);
            }
        }
    }
    for (position, keys) in accounts.iter().enumerate() {
        for value in values(keys, weights) {
            // A value that no person has leads nowhere.
            let Some(holders) = index.get_mut(&value).map(|holders| &mut holders.accounts) else { continue };
            if holders.len() <= MOST_SHARING {
                holders.push(position);
            }
        }
    }
    index
}

/// The values that lead from one to the other. A name does only where it weighs enough to be a reason by itself.
fn values<'k>(keys: &'k Keys, weights: &Weights) -> impl Iterator<Item = Value<'k>> + use<'k> {
    let heaviest = |kinds: [Key; 2]| kinds.into_iter().map(|key| weights.of(key)).max().unwrap_or(0);
    let emails = heaviest([Key::CompanyEmail, Key::PersonalEmail]) > 0;
    let names = heaviest([Key::NameAndDepartment, Key::Name]) >= weights.suggest_at();
    let (job_numbers, mobiles) = (weights.of(Key::JobNumber) > 0, weights.of(Key::Mobile) > 0);
    let job_number = keys.job_number.iter().filter(move |_| job_numbers).map(|text| (Key::JobNumber, text.as_str()));
    let mobile = keys.mobile.iter().filter(move |_| mobiles).map(|text| (Key::Mobile, text.as_str()));
    // An address is the same whoever calls it private.
    let emails = keys.emails.iter().filter(move |_| emails).map(|(text, _)| (Key::CompanyEmail, text.as_str()));
    let name = keys.name.iter().filter(move |_| names).map(|text| (Key::Name, text.as_str()));
    job_number.chain(mobile).chain(emails).chain(name)
}

fn score(person: &Keys, account: &Keys, worthless: &HashSet<Value<'_>>, weights: &Weights) -> Pair {
    let mut pair =
        Pair { person: 0, account: 0, score: 0, keys: Vec::new(), differs: Vec::new(), verdict: Verdict::Suggested };
    let mut agrees = |key: Key| {
        let weight = weights.of(key);
        if weight > 0 {
            pair.score = pair.score.saturating_add(weight);
            pair.keys.push(key);
        }
    };
    let worth = |key: Key, text: &str| !worthless.contains(&(key, text));
    let mut differs = Vec::new();
    for (key, one, other) in
        [(Key::JobNumber, &person.job_number, &account.job_number), (Key::Mobile, &person.mobile, &account.mobile)]
    {
        match (one, other) {
            (Some(one), Some(other)) if one != other => differs.push(key),
            (Some(one), Some(_)) if worth(key, one) => agrees(key),
            _ => {}
        }
    }
    let shared = |wanted: bool| {
        person.emails.iter().any(|(address, private)| {
            worth(Key::CompanyEmail, address)
                && account.emails.iter().any(|(other, also)| other == address && (*private || *also) == wanted)
        })
    };
    for (key, private) in [(Key::CompanyEmail, false), (Key::PersonalEmail, true)] {
        if shared(private) {
            agrees(key);
        }
    }
    if person.name.is_some() && person.name == account.name {
        let together = person.departments.iter().any(|path| account.departments.contains(path));
        agrees(if together { Key::NameAndDepartment } else { Key::Name });
    }
    pair.differs = differs;
    pair
}

#[cfg(test)]
mod tests;
