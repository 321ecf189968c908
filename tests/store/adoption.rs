//! Scans and links under races: one worker at a time, and never under a worker's hands.

use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::entity::{Attributes, Entity};
use rollcall_provisioning::ids::TargetId;
use rollcall_store::adoption::{
    Bucket, CandidateQuery, Decision, DecisionError, NewPair, ScanStep, StartError, WalkEnd,
};
use rollcall_store::projection::{ClaimRequest, TargetMode};
use sqlx::Connection;
use std::time::Duration;

use crate::fixture::Fixture;

const LEASE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_scan_is_one_workers_and_what_it_lost_it_does_not_write() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let target = TargetId(f.target("main").await?);
    f.store.start_scan(f.tenant, target, "ann").await?;
    assert!(matches!(f.store.start_scan(f.tenant, target, "bob").await, Err(StartError::UnderWay)));
    let claim = f.store.claim_scan("one", LEASE).await?.expect("a scan");
    assert!(f.store.claim_scan("two", LEASE).await?.is_none(), "it is held");
    let units = f.store.units_to_read(&claim, "1", 4).await?;
    assert_eq!(units.iter().map(|unit| unit.remote_id.as_str()).collect::<Vec<_>>(), ["1"]);
    let root = &units[0];
    let there = ScanStep::Unit { attributes: Attributes::new(), children: Vec::new() };
    assert!(f.store.keep_step(&claim, root, &there, 2).await?);
    f.store.set_target_mode(f.tenant, target, TargetMode::Paused).await?;
    assert!(!f.store.hold_scan(&claim, LEASE).await?, "its target is paused");
    f.store.release_scan(&claim).await?;
    assert!(f.store.claim_scan("two", LEASE).await?.is_none(), "its target is paused");
    f.store.set_target_mode(f.tenant, target, TargetMode::Live).await?;
    let again = f.store.claim_scan("two", LEASE).await?.expect("the same scan");
    let account = Entity { remote_id: "a".to_owned(), attributes: Attributes::new() };
    let page = ScanStep::Accounts { accounts: vec![account.clone(), account], next: None };
    assert!(!f.store.keep_step(&claim, root, &page, 1).await?, "the first worker lost it");
    assert!(f.store.keep_step(&again, root, &page, 1).await?);
    assert!(f.store.units_to_read(&again, "1", 4).await?.is_empty());
    let scan = f.store.newest_scan(f.tenant, target).await?.expect("the scan");
    assert_eq!((scan.calls, scan.accounts, scan.org_units), (3, 1, 1));
    Ok(())
}

#[tokio::test]
async fn nobody_is_linked_under_a_workers_hands() -> anyhow::Result<()> {
    let f = Fixture::new().await?;
    let target = TargetId(f.target("main").await?);
    let user = f.person("ann").await?.id;
    f.store.start_scan(f.tenant, target, "ann").await?;
    let scan = f.store.claim_scan("one", LEASE).await?.expect("a scan");
    let end = WalkEnd { expected: 0, administrators: vec!["boss".to_owned()], hidden: Vec::new(), calls: 3 };
    assert!(f.store.end_walk(&scan, &end).await?);
    let pair = NewPair {
        bucket: Bucket::Suggested,
        resource: Some(user),
        remote_id: Some("old".to_owned()),
        score: 50,
        keys: vec!["mobile".to_owned()],
        differs: Vec::new(),
    };
    assert!(f.store.keep_candidates(&scan, &[pair]).await?);
    let linking = f.store.link_what_is_certain(&scan).await?.expect("it is held");
    assert_eq!((linking.linked, linking.busy), (0, 0), "a suggestion is not certain");
    assert!(f.store.end_scan(&scan).await?);
    let request = ClaimRequest { worker: "w", up_to: Lane::Other, limit: 9, lease: LEASE, at_work: &[] };
    let claims = f.store.claim(&request).await?;
    assert!(claims.iter().all(|claim| claim.adopted), "nobody who is unclear gets a second account");
    let all = CandidateQuery { limit: 9, ..CandidateQuery::default() };
    let candidate = f.store.candidates(f.tenant, target, &all).await?.remove(0);
    let accepted = [(candidate.id, Decision::Accepted)];
    let busy = f.store.decide(f.tenant, target, &accepted, "ann").await;
    assert!(matches!(busy, Err(DecisionError::Busy(1))), "{busy:?}");
    let still = f.store.candidates(f.tenant, target, &all).await?.remove(0);
    assert_eq!(still.decision, None, "nothing was decided");
    let mut connection = sqlx::PgConnection::connect(f.database.url()).await?;
    sqlx::query("UPDATE deliveries SET lease_until = now() - interval '1 second'").execute(&mut connection).await?;
    let decided = f.store.decide(f.tenant, target, &accepted, "ann").await?;
    assert_eq!((decided.decided, decided.linking.linked), (1, 1));
    let lost = f.store.link_unknown(&claims[0], Some("new")).await?;
    assert!(!lost, "the worker that was at it makes no account");
    assert_eq!(f.store.marks(f.tenant, target, None, 9).await?.len(), 1, "the administrator is protected");
    Ok(())
}
