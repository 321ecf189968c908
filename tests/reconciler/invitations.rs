//! Invitations that nobody answers: the person is invited again by the settings of the target or because somebody wants it,
//! never more often than allowed whatever is lost, and is looked for all the while.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::invitation::Invited;
use rollcall_store::adoption::{MarkKind, MarkedThing, NewMark};
use rollcall_store::changes::{ChangeCursor, Operation};
use rollcall_store::projection::TargetMode;
use serde_json::{Value, json};
use std::time::Duration;

use crate::fake::{Fate, refusal};
use crate::world::{START, World};

const DAY: Duration = Duration::from_hours(24);
const NUMBER: &str = "13900000001";

/// A world with Ann, who was asked whether she agrees and has not answered, at a target with these settings.
async fn invited(settings: Value) -> anyhow::Result<(World, ResourceId)> {
    let world = World::new().await?;
    world.settings(settings).await?;
    world.fake.holdings(|held| held.reserved.insert(NUMBER.to_owned()));
    let ann = world.person("ann", json!({ "mobile": NUMBER })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.error_code.as_deref(), Some("invited"));
    Ok((world, ann))
}

fn every(days: u32) -> Value {
    json!({ "invite_again_after_days": days })
}

impl World {
    /// Lets so many days pass, one by one.
    async fn days(&self, days: u32) -> anyhow::Result<()> {
        for _ in 0..days {
            self.clock.advance(DAY);
            self.settle().await?;
        }
        Ok(())
    }

    /// How many invitations the target was asked for.
    fn sent(&self) -> usize {
        self.fake.count("create account")
    }

    async fn invitation(&self, id: ResourceId) -> anyhow::Result<Option<Invited>> {
        Ok(self.link(id).await?.and_then(|link| link.invited))
    }

    async fn reason(&self) -> anyhow::Result<String> {
        Ok(self.standing("ann").await?.reason.unwrap_or_default())
    }
}

#[tokio::test]
async fn nobody_is_invited_again_by_itself_unless_the_settings_say_so() -> anyhow::Result<()> {
    let (world, ann) = invited(json!({})).await?;
    assert!(world.reason().await?.contains("invited on 2026-03-01. They are not invited again by themselves."));
    world.days(20).await?;
    assert_eq!(world.sent(), 1);
    let standing = world.standing("ann").await?;
    assert_eq!(
        (standing.state.as_str(), standing.error_code.as_deref()),
        ("needs_attention", Some("invitation_unanswered"))
    );
    let reason = standing.reason.unwrap_or_default();
    for part in ["number ends in 0001", "invited on 2026-03-01", "correct the number", "invite-again", "accepted late"]
    {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    // Then they do: who was given up is invited again.
    world.settings(every(7)).await?;
    world.settle().await?;
    assert_eq!((world.sent(), world.standing("ann").await?.state.as_str()), (2, "waiting"));
    assert_eq!(world.invitation(ann).await?.map(|invited| invited.times), Some(2));
    Ok(())
}

#[tokio::test]
async fn who_does_not_answer_is_invited_again_so_many_times_and_then_somebody_is_told() -> anyhow::Result<()> {
    let (world, ann) = invited(every(7)).await?;
    let reason = world.reason().await?;
    assert!(reason.contains("again on 2026-03-08; there are 3 invitations at most"), "{reason}");
    world.days(6).await?;
    assert_eq!(world.sent(), 1, "not before its day");
    world.days(1).await?;
    assert_eq!(world.sent(), 2);
    world.days(7).await?;
    assert_eq!(world.sent(), 3);
    let reason = world.reason().await?;
    assert!(reason.contains("3 times, first on 2026-03-01 and last on 2026-03-15"), "{reason}");
    assert!(reason.contains("not invited again by themselves"), "{reason}");
    world.days(14).await?;
    assert_eq!(world.standing("ann").await?.state, "waiting", "the last one may still be answered");
    world.days(2).await?;
    let standing = world.standing("ann").await?;
    assert_eq!(standing.state, "needs_attention", "{standing:?}");
    assert!(standing.reason.is_some_and(|reason| reason.contains("invited 3 times, first on 2026-03-01")));
    world.days(40).await?;
    assert_eq!(world.sent(), 3, "that was the last");
    let first = world.invitation(ann).await?.map(|invited| (invited.first_at, invited.times));
    assert_eq!(first, Some((START, 3)));
    // A late answer counts all the same, and the next account begins anew.
    world.fake.accept(NUMBER, "chosen-by-dingtalk");
    world.days(2).await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    assert_eq!(world.invitation(ann).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_counts_as_an_invitation() -> anyhow::Result<()> {
    for done in [false, true] {
        let (world, ann) = invited(json!({ "invite_again_after_days": 7, "invitations_at_most": 2 })).await?;
        world.fake.on("create account", 1, Fate::Lost { done });
        world.days(7).await?;
        assert_eq!(world.sent(), 2, "{done}");
        let standing = world.standing("ann").await?;
        assert_eq!(standing.error_code.as_deref(), Some("invited"), "it is waited for: {standing:?}");
        assert_eq!(world.invitation(ann).await?.map(|invited| invited.times), Some(2), "{done}");
        world.days(30).await?;
        assert_eq!((world.sent(), world.standing("ann").await?.state.as_str()), (2, "needs_attention"), "{done}");
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_dies_in_the_call_has_invited() -> anyhow::Result<()> {
    for done in [false, true] {
        let (world, ann) = invited(json!({ "invite_again_after_days": 7, "invitations_at_most": 2 })).await?;
        world.fake.on("create account", 1, Fate::Stuck { done });
        world.clock.advance(DAY * 7);
        world
            .work(World::options("dies"), async {
                world.fake.stuck().await;
                Ok(())
            })
            .await?;
        world.fake.heal();
        world.days(30).await?;
        assert_eq!(world.sent(), 2, "{done}");
        assert_eq!(world.invitation(ann).await?.map(|invited| invited.times), Some(2), "{done}");
        if done {
            world.fake.accept(NUMBER, "chosen-by-dingtalk");
            world.days(2).await?;
            assert_eq!(world.standing("ann").await?.state, "in_step");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_first_invitation_whose_answer_is_lost_counts_too() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.settings(json!({ "invite_again_after_days": 7, "invitations_at_most": 2 })).await?;
    world.fake.holdings(|held| held.reserved.insert(NUMBER.to_owned()));
    world.fake.on("create account", 1, Fate::Lost { done: true });
    let ann = world.person("ann", json!({ "mobile": NUMBER })).await?;
    world.settle().await?;
    // What the answer was is not known, so it is asked once more; then it is known.
    assert_eq!((world.sent(), world.invitation(ann).await?.map(|invited| invited.times)), (2, Some(2)));
    world.days(20).await?;
    assert_eq!(world.sent(), 2, "both that are allowed were sent");
    Ok(())
}

#[tokio::test]
async fn what_was_refused_is_no_invitation() -> anyhow::Result<()> {
    let (world, ann) = invited(every(7)).await?;
    // A passing refusal comes again by itself, another one is told.
    world.fake.on("create account", 2, Fate::Refused(refusal(ErrorClass::RateLimited, "90018", None)));
    world.days(7).await?;
    assert_eq!((world.sent(), world.invitation(ann).await?.map(|invited| invited.times)), (4, Some(2)));
    world.fake.on("create account", 1, Fate::Refused(refusal(ErrorClass::Forbidden, "50002", None)));
    world.days(7).await?;
    let standing = world.standing("ann").await?;
    assert_eq!((standing.state.as_str(), standing.error_code.as_deref()), ("needs_attention", Some("50002")));
    assert_eq!(world.invitation(ann).await?.map(|invited| invited.times), Some(2));
    // It is looked for all the same, and invited when that is possible.
    world.days(1).await?;
    assert_eq!((world.sent(), world.standing("ann").await?.state.as_str()), (6, "waiting"));
    Ok(())
}

#[tokio::test]
async fn another_number_begins_anew_and_does_not_take_the_first_one_away() -> anyhow::Result<()> {
    let (world, ann) = invited(json!({ "invite_again_after_days": 7, "invitations_at_most": 2 })).await?;
    world.days(7).await?;
    // A number that cannot be is no invitation, and the one under the first number is what it was.
    world.fake.on("create account", 1, Fate::Refused(refusal(ErrorClass::Invalid, "60103", Some(entity::MOBILE))));
    world.set(ann, json!({ "mobile": "13900000009" })).await?;
    world.settle().await?;
    assert_eq!(world.invitation(ann).await?.map(|invited| (invited.first_at, invited.times)), Some((START, 2)));
    let other = "13900000002";
    world.fake.holdings(|held| held.reserved.insert(other.to_owned()));
    world.set(ann, json!({ "mobile": other })).await?;
    world.settle().await?;
    let now = world.invitation(ann).await?.map(|invited| (invited.first_at, invited.times));
    assert_eq!(now, Some((START + DAY * 7, 1)), "{:?}", world.standing("ann").await?);
    let sent = world.sent();
    world.days(7).await?;
    assert_eq!(world.sent(), sent + 1);
    world.fake.accept(other, "chosen-by-dingtalk");
    world.days(2).await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn somebody_lets_a_person_be_invited_once_more_at_most_once_a_day() -> anyhow::Result<()> {
    let (world, ann) = invited(json!({})).await?;
    let again = |reason: &'static str| world.store.invite_again(world.tenant, (ann, None), "maria", reason);
    assert_eq!(again("too soon").await?, 0, "on the same day");
    world.days(20).await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    let elsewhere = world.neighbour().await?;
    let other = world.store.invite_again(world.tenant, (ann, Some(elsewhere.target)), "maria", "elsewhere").await?;
    assert_eq!(other, 0, "she has no invitation there");
    assert_eq!(again("She has deleted the first one.").await?, 1);
    assert_eq!(again("twice").await?, 0, "it is not sent yet");
    world.settle().await?;
    assert_eq!((world.sent(), world.standing("ann").await?.state.as_str()), (2, "waiting"));
    assert_eq!(again("twice").await?, 0, "on the same day");
    let invitation = world.invitation(ann).await?;
    assert_eq!(invitation.map(|invited| (invited.times, invited.asked_by)), Some((2, None)));
    let entries = world.store.changes(world.tenant, ChangeCursor::After(0), 100, Some(ann)).await?;
    let noted: Vec<_> = entries.iter().filter(|entry| entry.operation == Operation::InvitedAgain).collect();
    assert_eq!(noted.len(), 1);
    for entry in noted {
        let (by, reason) = (&entry.details["by"], &entry.details["reason"]);
        assert_eq!((by, reason), (&json!("maria"), &json!("She has deleted the first one.")));
    }
    // Nobody is told again before that one has had its days.
    world.days(14).await?;
    assert_eq!((world.sent(), world.standing("ann").await?.state.as_str()), (2, "waiting"));
    world.days(2).await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    world.set(ann, json!({ "active": false })).await?;
    assert_eq!(again("She has left.").await?, 0, "nobody is invited who has left");
    Ok(())
}

#[tokio::test]
async fn what_somebody_asked_for_is_not_lost_with_a_passing_refusal() -> anyhow::Result<()> {
    let (world, ann) = invited(json!({})).await?;
    world.days(2).await?;
    world.fake.on("create account", 3, Fate::Refused(refusal(ErrorClass::RateLimited, "90018", None)));
    assert_eq!(world.store.invite_again(world.tenant, (ann, None), "maria", "asked").await?, 1);
    world.settle().await?;
    let invitation = world.invitation(ann).await?;
    assert_eq!(invitation.map(|invited| (invited.times, invited.asked_by)), Some((2, None)));
    assert_eq!(world.sent(), 5, "three were refused");
    Ok(())
}

#[tokio::test]
async fn who_cannot_be_invited_again_now_is_looked_for_all_the_same() -> anyhow::Result<()> {
    for hindrance in ["rehearsal", "mark", "quota"] {
        let (world, ann) = invited(every(7)).await?;
        match hindrance {
            "rehearsal" => world.mode(TargetMode::Rehearsal).await?,
            "quota" => world.settings(json!({ "invite_again_after_days": 7, "calls_per_month": 1 })).await?,
            _ => {
                let about = MarkedThing::Resource(ann);
                let kind = MarkKind::Protected;
                let mark = NewMark { about: &about, kind, reason: "robot", review_on: None, by: "bob" };
                world.store.set_mark(world.tenant, world.target, &mark).await?;
            }
        }
        world.days(9).await?;
        let standing = world.standing("ann").await?;
        assert_eq!(
            (standing.state.as_str(), standing.error_code.as_deref()),
            ("waiting", Some("invited")),
            "{hindrance}: {standing:?}"
        );
        assert_eq!(world.sent(), 1, "{hindrance}");
        let reason = standing.reason.unwrap_or_default();
        let told = match hindrance {
            "rehearsal" => "invited again now",
            "quota" => "calls_per_month",
            _ => "marked as protected",
        };
        assert!(reason.contains(told), "{hindrance}: {reason}");
        world.fake.accept(NUMBER, "chosen-by-dingtalk");
        world.days(2).await?;
        assert!(world.link(ann).await?.is_some_and(|link| link.remote_id.as_deref() == Some("chosen-by-dingtalk")));
    }
    Ok(())
}

#[tokio::test]
async fn who_leaves_is_not_invited_again() -> anyhow::Result<()> {
    let (world, ann) = invited(every(7)).await?;
    world.days(8).await?;
    assert_eq!(world.sent(), 2);
    world.set(ann, json!({ "active": false })).await?;
    world.days(20).await?;
    assert_eq!(world.sent(), 2);
    // Who comes back has an open invitation, and the settings count again.
    world.set(ann, json!({ "active": true })).await?;
    world.settle().await?;
    assert_eq!(world.sent(), 3);
    assert_eq!(world.invitation(ann).await?.map(|invited| invited.times), Some(3));
    Ok(())
}
