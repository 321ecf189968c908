//! Links made, broken and looked for again by hand: what stands in the way is told, and nothing is changed then.

use anyhow::Context as _;
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::entity::{Attributes, Entity};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId};
use rollcall_store::adoption::{
    Bucket, CandidateQuery, LinkError, MarkKind, MarkedThing, NewLink, NewMark, NewPair, Parting, ScanStep, WalkEnd,
};
use rollcall_store::projection::{Claim, ClaimRequest, LinkQuery, LinkRow, LinkState};
use serde_json::json;
use std::time::Duration;

use crate::fixture::Fixture;

const LEASE: Duration = Duration::from_mins(1);

struct Links {
    f: Fixture,
    target: TargetId,
}

impl Links {
    async fn new() -> anyhow::Result<Self> {
        let f = Fixture::new().await?;
        let target = TargetId(f.target("main").await?);
        Ok(Self { f, target })
    }

    /// A finished scan that has found these accounts, and believes this of who they are.
    async fn scanned(&self, accounts: &[&str], pairs: &[NewPair]) -> anyhow::Result<()> {
        let store = &self.f.store;
        store.start_scan(self.f.tenant, self.target, "ann").await?;
        let claim = store.claim_scan("scanner", LEASE).await?.context("a scan")?;
        let root = store.units_to_read(&claim, "1", 1).await?.remove(0);
        let there = ScanStep::Unit { attributes: Attributes::new(), children: Vec::new() };
        store.keep_step(&claim, &root, &there, 1).await?;
        let root = store.units_to_read(&claim, "1", 1).await?.remove(0);
        let account = |id: &&str| Entity { remote_id: (*id).to_owned(), attributes: Attributes::new() };
        let page = ScanStep::Accounts { accounts: accounts.iter().map(account).collect(), next: None };
        store.keep_step(&claim, &root, &page, 1).await?;
        store
            .end_walk(&claim, &WalkEnd { expected: 0, administrators: Vec::new(), hidden: Vec::new(), calls: 0 })
            .await?;
        store.keep_candidates(&claim, pairs).await?;
        let linking = store.link_what_is_certain(&claim).await?.context("it is held")?;
        assert_eq!(linking.busy, 0);
        store.end_scan(&claim).await?;
        Ok(())
    }

    async fn link(&self, person: ResourceId, remote_id: &str) -> Result<(), LinkError> {
        let new = NewLink { person, remote_id, seen: false, reason: "checked", by: "ann" };
        self.f.store.create_link(self.f.tenant, self.target, &new).await
    }

    fn parting(resource: ResourceId) -> Parting<'static> {
        Parting { kind: ResourceKind::User, resource, reason: "wrong", by: "ann" }
    }

    async fn part(&self, resource: ResourceId) -> Result<String, LinkError> {
        self.f.store.break_link(self.f.tenant, self.target, &Self::parting(resource)).await
    }

    async fn list(&self, query: LinkQuery) -> anyhow::Result<Vec<LinkRow>> {
        Ok(self.f.store.links(self.f.tenant, self.target, &LinkQuery { limit: 100, ..query }).await?)
    }

    async fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let request = ClaimRequest { worker: "w", up_to: Lane::Other, limit: 9, lease: LEASE, at_work: &[] };
        Ok(self.f.store.claim(&request).await?)
    }

    async fn operations(&self) -> anyhow::Result<Vec<String>> {
        let sql = "SELECT operation FROM changes WHERE details ? 'by' AND details ? 'target' ORDER BY id";
        Ok(sqlx::query_scalar(sql).fetch_all(self.f.database.pool()).await?)
    }

    async fn sql(&self, statement: &'static str) -> anyhow::Result<()> {
        sqlx::query(statement).execute(self.f.database.pool()).await?;
        Ok(())
    }
}

fn pair(person: ResourceId, remote_id: &str, bucket: Bucket) -> NewPair {
    NewPair {
        bucket,
        resource: Some(person),
        remote_id: Some(remote_id.to_owned()),
        score: 50,
        keys: vec!["mobile".to_owned()],
        differs: Vec::new(),
    }
}

#[tokio::test]
async fn a_link_by_hand_is_held_and_what_stands_in_the_way_is_told() -> anyhow::Result<()> {
    let links = Links::new().await?;
    let (ann, bob) = (links.f.person("ann").await?.id, links.f.person("bob").await?.id);
    assert!(matches!(links.link(ann, "a").await, Err(LinkError::UnknownAccount)), "nobody has looked");
    links.scanned(&["a", "b", "robot"], &[]).await?;
    assert!(matches!(links.link(ann, "nobody").await, Err(LinkError::UnknownAccount)));
    assert!(matches!(links.link(ResourceId(uuid::Uuid::max()), "a").await, Err(LinkError::NoPerson)));
    let mark = |about, reason| NewMark { about, kind: MarkKind::DoNotTouch, reason, review_on: None, by: "eve" };
    let robot = MarkedThing::Account("robot".to_owned());
    links.f.store.set_mark(links.f.tenant, links.target, &mark(&robot, "a robot")).await?;
    assert!(matches!(links.link(ann, "robot").await, Err(LinkError::Marked { reason, .. }) if reason == "a robot"));
    let about = MarkedThing::Resource(bob);
    links.f.store.set_mark(links.f.tenant, links.target, &mark(&about, "on trial")).await?;
    assert!(matches!(links.link(bob, "b").await, Err(LinkError::Marked { reason, .. }) if reason == "on trial"));

    let carl = links.f.user(json!({ "userName": "carl", "active": false })).await?.id;
    assert!(matches!(links.link(carl, "b").await, Err(LinkError::Inactive)));
    let claims = links.claims().await?;
    assert!(matches!(links.link(ann, "a").await, Err(LinkError::Busy)), "a worker is at {claims:?}");
    links.sql("UPDATE deliveries SET lease_until = NULL").await?;
    assert!(links.list(LinkQuery::default()).await?.is_empty(), "nothing was linked so far");

    links.link(ann, "a").await?;
    let all = links.list(LinkQuery::default()).await?;
    let shown: Vec<_> = all
        .iter()
        .map(|link| (link.resource_id, link.remote_id.as_deref(), link.adopted, link.state.as_str()))
        .collect();
    assert_eq!(shown, [(ann.0, Some("a"), true, "unknown")], "it is read before anything is planned");
    let again = links.claims().await?;
    let own = again.iter().find(|claim| claim.resource == ann).expect("it is due");
    assert!(own.adopted, "whatever differs waits for a plan");
    links.sql("UPDATE deliveries SET lease_until = NULL").await?;
    let dora = links.f.person("dora").await?.id;
    assert!(matches!(links.link(dora, "a").await, Err(LinkError::AccountLinked { name, .. }) if name == "ann"));
    assert!(matches!(links.link(ann, "b").await, Err(LinkError::PersonLinked(has)) if has == "a"));
    links.sql("UPDATE links SET snapshot = '{\"account_kind\": \"contact\"}'").await?;
    assert!(matches!(links.link(ann, "b").await, Err(LinkError::Contact)));
    assert!(matches!(links.part(ann).await, Err(LinkError::Contact)));
    links.sql("UPDATE links SET snapshot = '{}', remote_id = NULL, observed = 'absent', invited_at = now()").await?;
    assert!(matches!(links.link(ann, "b").await, Err(LinkError::Invited)));
    assert!(matches!(links.part(ann).await, Err(LinkError::Invited)));
    links.sql("UPDATE links SET invited_at = NULL, observed = 'unknown'").await?;
    assert!(matches!(links.link(ann, "b").await, Err(LinkError::InDoubt)));
    assert!(matches!(links.part(ann).await, Err(LinkError::InDoubt)));
    assert_eq!(links.operations().await?, ["linked"]);
    Ok(())
}

#[tokio::test]
async fn a_broken_link_is_refused_and_what_it_ruled_out_is_open_again() -> anyhow::Result<()> {
    let links = Links::new().await?;
    let (ann, bob) = (links.f.person("ann").await?.id, links.f.person("bob").await?.id);
    let unclear = [pair(ann, "a", Bucket::Contradiction), pair(ann, "b", Bucket::Contradiction)];
    links.scanned(&["a", "b"], &unclear).await?;
    links.link(ann, "a").await?;
    let candidates = async || -> anyhow::Result<Vec<(Option<String>, Option<String>)>> {
        let all = CandidateQuery { limit: 9, ..CandidateQuery::default() };
        let mut rows = links.f.store.candidates(links.f.tenant, links.target, &all).await?;
        rows.sort_by(|one, other| one.remote_id.cmp(&other.remote_id));
        Ok(rows.into_iter().map(|row| (row.remote_id, row.decision)).collect())
    };
    let said = |remote_id: &str, decision: Option<&str>| (Some(remote_id.to_owned()), decision.map(str::to_owned));
    assert_eq!(candidates().await?, [said("a", Some("accepted")), said("b", Some("rejected"))]);

    assert!(matches!(links.part(bob).await, Err(LinkError::NotLinked)));
    let claims = links.claims().await?;
    assert!(matches!(links.part(ann).await, Err(LinkError::Busy)));
    links.sql("UPDATE deliveries SET lease_until = now() - interval '1 second'").await?;
    assert_eq!(links.part(ann).await?, "a");
    let lost = claims.iter().find(|claim| claim.resource == ann).expect("it was claimed");
    assert!(!links.f.store.link_unknown(lost, Some("new")).await?, "the worker that was at it makes no account");
    assert!(links.list(LinkQuery::default()).await?.is_empty());
    assert_eq!(candidates().await?, [said("a", Some("rejected")), said("b", None)]);
    let link = links.f.store.link(links.f.tenant, links.target, ResourceKind::User, ann).await?.expect("its memory");
    assert_eq!((link.generation, link.remote_id), (2, None), "no userid is used again by itself");
    let again = links.claims().await?;
    assert!(again.iter().any(|claim| claim.resource == ann && claim.adopted), "nobody gets a new account unasked");
    links.sql("UPDATE deliveries SET lease_until = NULL").await?;

    // A person may still say otherwise.
    links.link(ann, "b").await?;
    links.part(ann).await?;
    links.link(bob, "a").await?;
    assert_eq!(links.operations().await?, ["linked", "link_broken", "linked", "link_broken", "linked"]);
    Ok(())
}

#[tokio::test]
async fn looking_again_needs_a_finished_scan_and_forgets_what_was_decided() -> anyhow::Result<()> {
    let links = Links::new().await?;
    let ann = links.f.person("ann").await?.id;
    let rematch = async || links.f.store.rematch(links.f.tenant, links.target, &Links::parting(ann)).await;
    assert!(matches!(rematch().await, Err(LinkError::NoScan)));
    links.scanned(&["a"], &[pair(ann, "a", Bucket::Linked)]).await?;
    assert_eq!(links.list(LinkQuery::default()).await?.len(), 1, "it was certain");
    let found = rematch().await?;
    assert_eq!(found.remote_id.as_deref(), Some("a"));
    assert!(links.list(LinkQuery::default()).await?.is_empty(), "it is looked for again");
    assert!(matches!(rematch().await, Err(LinkError::UnderWay)));
    assert!(matches!(links.link(ann, "a").await, Err(LinkError::UnderWay)));
    assert!(matches!(links.part(ann).await, Err(LinkError::UnderWay)));
    let claim = links.f.store.claim_scan("scanner", LEASE).await?.expect("it is due");
    assert_eq!(claim.scan, found.scan);
    // What was certain before is not, unless it is found to be once more.
    links.f.store.keep_candidates(&claim, &[]).await?;
    let linking = links.f.store.link_what_is_certain(&claim).await?.expect("it is held");
    assert_eq!(linking.linked, 0);
    links.f.store.end_scan(&claim).await?;
    let group = Parting { kind: ResourceKind::Group, ..Links::parting(ann) };
    let refused = links.f.store.break_link(links.f.tenant, links.target, &group).await;
    assert!(matches!(refused, Err(LinkError::ByName)));
    Ok(())
}

#[tokio::test]
async fn lists_are_limited_and_paged_and_of_one_tenant() -> anyhow::Result<()> {
    let links = Links::new().await?;
    let mut people = Vec::new();
    for name in ["Ann", "Bob", "Carl"] {
        let user =
            links.f.user(json!({ "userName": format!("{name}@x"), "displayName": name, "active": true })).await?;
        people.push(user.id);
    }
    links.scanned(&["a", "b", "c"], &[]).await?;
    for (person, account) in people.iter().zip(["a", "b", "c"]) {
        links.link(*person, account).await?;
    }
    links.sql("UPDATE links SET adopted_at = NULL, observed = 'known' WHERE remote_id = 'c'").await?;
    let bob = MarkedThing::Account("b".to_owned());
    let mark = NewMark { about: &bob, kind: MarkKind::Protected, reason: "x", review_on: None, by: "ann" };
    links.f.store.set_mark(links.f.tenant, links.target, &mark).await?;
    let q = LinkQuery::default;
    let text = |text: &str| Some(text.to_owned());
    for (query, expected) in [
        (q(), "a b c"),
        (LinkQuery { kind: Some(ResourceKind::User), ..q() }, "a b c"),
        (LinkQuery { kind: Some(ResourceKind::OrgUnit), ..q() }, ""),
        (LinkQuery { adopted: Some(true), ..q() }, "a b"),
        (LinkQuery { adopted: Some(false), ..q() }, "c"),
        (LinkQuery { state: Some(LinkState::Known), ..q() }, "c"),
        (LinkQuery { state: Some(LinkState::Unknown), ..q() }, "a b"),
        (LinkQuery { remote_id: text("b"), ..q() }, "b"),
        (LinkQuery { person: text("CARL"), ..q() }, "c"),
        (LinkQuery { person: text("ann@X"), ..q() }, "a"),
        (LinkQuery { person: text("nobody"), ..q() }, ""),
        (LinkQuery { person: text("ann"), remote_id: text("b"), ..q() }, ""),
        (LinkQuery { marked: Some(true), ..q() }, "b"),
        (LinkQuery { marked: Some(false), ..q() }, "a c"),
        (LinkQuery { marked: Some(true), person: text("bob"), ..q() }, "b"),
        (LinkQuery { marked: Some(false), person: text("bob"), ..q() }, ""),
        (LinkQuery { resource: Some(people[2]), ..q() }, "c"),
        (LinkQuery { after: Some(people[0]), ..q() }, "b c"),
    ] {
        let shown = format!("{query:?}");
        let found = links.list(query).await?;
        let ids: Vec<&str> = found.iter().filter_map(|link| link.remote_id.as_deref()).collect();
        assert_eq!(ids.join(" "), expected, "{shown}");
    }
    let first = links.f.store.links(links.f.tenant, links.target, &LinkQuery { limit: 2, ..q() }).await?;
    assert_eq!(first.len(), 2);
    assert_eq!(first[1].mark.as_deref(), Some("protected"));
    let other = links.f.store.create_tenant("globex").await?.id;
    assert!(links.f.store.links(other, links.target, &LinkQuery { limit: 9, ..q() }).await?.is_empty());
    let foreign = links.f.store.break_link(other, links.target, &Links::parting(people[0])).await;
    assert!(matches!(foreign, Err(LinkError::NoTarget)));
    Ok(())
}
