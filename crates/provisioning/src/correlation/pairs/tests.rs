//! Tables of one-line cases, and what holds of any directory.

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// `job=1 mobile=13800000001 mail=a@x home=h@y name=Ada dept=Sales`, in any order.
fn keys(text: &str) -> Keys {
    let mut keys = Keys::default();
    for (name, value) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
        let value = value.to_owned();
        match name {
            "job" => keys.job_number = Some(value),
            "mobile" => keys.mobile = Some(value),
            "mail" => keys.emails.push((value, false)),
            "home" => keys.emails.push((value, true)),
            "name" => keys.name = Some(value),
            _ => keys.departments.push(value),
        }
    }
    keys
}

fn all(texts: &[&str]) -> Vec<Keys> {
    texts.iter().map(|text| keys(text)).collect()
}

/// `0-0 linked 110`, pair by pair.
fn shown(people: &[&str], accounts: &[&str], settled: &Settled) -> String {
    let found = correlate(&all(people), &all(accounts), settled, &Weights::default());
    let pairs = found.pairs.iter();
    let pairs = pairs.map(|pair| format!("{}-{} {} {}", pair.person, pair.account, pair.verdict.as_str(), pair.score));
    pairs.collect::<Vec<_>>().join(", ")
}

#[test]
fn one_person_and_one_account() {
    for (person, account, expected) in [
        ("job=1 mobile=2", "job=1 mobile=2", "0-0 linked 110"),
        ("mobile=2 mail=a@x", "mobile=2 mail=a@x", "0-0 linked 100"),
        ("job=1 home=h@y", "job=1 mail=h@y", "0-0 linked 90"),
        ("mail=a@x home=h@y job=1", "mail=a@x mail=h@y job=1", "0-0 linked 140"),
        ("job=1 name=ada dept=s", "job=1 name=ada dept=s", "0-0 suggested 75"),
        ("mobile=2 name=ada dept=s", "mobile=2 name=ada dept=t", "0-0 suggested 55"),
        ("mobile=2", "mobile=2", "0-0 suggested 50"),
        ("mail=a@x home=h@y", "mail=a@x mail=h@y", "0-0 suggested 80"),
        ("mobile=2 mail=a@x job=1", "mobile=2 mail=a@x job=9", "0-0 suggested 100"),
        ("mobile=2 mail=a@x job=1", "mobile=3 mail=a@x job=1", "0-0 linked 110"),
        ("home=h@y name=ada dept=s", "mail=h@y name=ada dept=s", ""),
        ("name=ada dept=s", "name=ada dept=s", ""),
        ("job=1", "mobile=1", ""),
        ("", "", ""),
    ] {
        assert_eq!(shown(&[person], &[account], &Settled::default()), expected, "{person} | {account}");
    }
}

#[test]
fn whatever_points_elsewhere_is_for_a_person() {
    for (people, accounts, expected) in [
        (
            &["job=1 mobile=2 mail=a@x"][..],
            &["job=1 mobile=2", "mail=a@x"][..],
            "0-0 contradiction 110, 0-1 contradiction 50",
        ),
        (&["job=1 mobile=2", "mobile=2"], &["job=1 mobile=2"], "0-0 contradiction 110, 1-0 contradiction 50"),
        (&["job=1 mobile=2", "home=h@y"], &["job=1 mobile=2 mail=h@y"], "0-0 contradiction 110, 1-0 contradiction 30"),
        (
            &["job=1 mobile=2", "job=3 mobile=4"],
            &["job=1 mobile=2", "job=3 mobile=4"],
            "0-0 linked 110, 1-1 linked 110",
        ),
    ] {
        assert_eq!(shown(people, accounts, &Settled::default()), expected, "{people:?} | {accounts:?}");
    }
}

#[test]
fn what_a_person_decided_counts() {
    let people = ["job=1 mobile=2", "mobile=2"];
    let refused = Settled { refused: [(1, 0)].into(), ..Settled::default() };
    assert_eq!(shown(&people, &["job=1 mobile=2"], &refused), "0-0 linked 110");
    let linked = Settled { linked: vec![(1, 0)], ..Settled::default() };
    assert_eq!(shown(&people, &["job=1 mobile=2"], &linked), "0-0 contradiction 110");
}

#[test]
fn a_value_that_everybody_has_says_nothing() {
    let people: Vec<Keys> = (0..100).map(|number| keys(&format!("mobile=0 mail=p{number}@x"))).collect();
    let accounts: Vec<Keys> = (0..100).map(|number| keys(&format!("mobile=0 mail=p{number}@x"))).collect();
    let found = correlate(&people, &accounts, &Settled::default(), &Weights::default());
    assert_eq!(found.pairs.len(), 100);
    assert!(found.pairs.iter().all(|pair| pair.keys == [Key::CompanyEmail] && pair.verdict == Verdict::Suggested));
}

#[test]
fn names_can_be_made_a_reason() {
    let weights = serde_json::json!({ "name": 60, "name_and_department": 95 });
    let weights = Weights::parse(&weights).expect("weights");
    let found = correlate(&all(&["name=ada dept=s"]), &all(&["name=ada dept=s"]), &Settled::default(), &weights);
    assert_eq!(found.pairs.first().map(|pair| pair.verdict), Some(Verdict::Suggested), "one key is never enough");
}

#[test]
fn fifty_thousand_take_seconds() {
    let people: Vec<Keys> =
        (0..50_000).map(|n| keys(&format!("job={n} mobile=1{n} mail=p{n}@x name=n{}", n % 500))).collect();
    let accounts: Vec<Keys> =
        (0..50_000).map(|n| keys(&format!("job={n} mobile=1{} mail=p{n}@x name=n{}", n / 2, n % 500))).collect();
    let began = Instant::now();
    let found = correlate(&people, &accounts, &Settled::default(), &Weights::default());
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(found.pairs.len() > 50_000);
}

/// Few values, so that many are shared.
fn somebody() -> impl Strategy<Value = Keys> {
    let some = |range: std::ops::Range<u8>| proptest::option::of(range);
    (some(0..6), some(0..6), some(0..6), some(0..4), 0_u8..3).prop_map(|(job, mobile, mail, home, name)| Keys {
        job_number: job.map(|n| n.to_string()),
        mobile: mobile.map(|n| n.to_string()),
        emails: mail
            .map(|n| (format!("{n}@x"), false))
            .into_iter()
            .chain(home.map(|n| (format!("{n}@y"), true)))
            .collect(),
        name: Some(name.to_string()),
        departments: Vec::new(),
    })
}

proptest! {
    #[test]
    fn it_is_the_same_from_either_side(
        people in proptest::collection::vec(somebody(), 0..12),
        accounts in proptest::collection::vec(somebody(), 0..12),
    ) {
        let weights = Weights::default();
        let there = correlate(&people, &accounts, &Settled::default(), &weights);
        let mut back = correlate(&accounts, &people, &Settled::default(), &weights);
        for pair in &mut back.pairs {
            (pair.person, pair.account) = (pair.account, pair.person);
        }
        back.pairs.sort_unstable_by_key(|pair| (pair.person, pair.account));
        prop_assert_eq!(&there.pairs, &back.pairs);
        prop_assert_eq!(there.only_in_directory, back.only_in_target);
    }

    #[test]
    fn links_are_one_to_one_and_never_contradicted(
        people in proptest::collection::vec(somebody(), 0..12),
        accounts in proptest::collection::vec(somebody(), 0..12),
    ) {
        let found = correlate(&people, &accounts, &Settled::default(), &Weights::default());
        for pair in &found.pairs {
            let others = found.pairs.iter().filter(|other| {
                (other.person == pair.person) != (other.account == pair.account)
            });
            let alone = others.count() == 0;
            prop_assert_eq!(alone, pair.verdict != Verdict::Contradiction);
            if pair.verdict == Verdict::Linked {
                prop_assert!(pair.keys.len() >= 2 && pair.score >= 90);
            }
        }
        // Everybody is in one bucket.
        let paired: HashSet<usize> = found.pairs.iter().map(|pair| pair.person).collect();
        prop_assert_eq!(paired.len() + found.only_in_directory.len(), people.len());
        let paired: HashSet<usize> = found.pairs.iter().map(|pair| pair.account).collect();
        prop_assert_eq!(paired.len() + found.only_in_target.len(), accounts.len());
    }
}
