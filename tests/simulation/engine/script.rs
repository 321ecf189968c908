//! What happens in a run: steps, each with how far the workers get after it. All of it follows from the seed.

use super::linking::Linking;
use super::random::Random;
use super::rules::{Groups, Rules};
use super::undoing::Undoing;

/// Who there may be.
pub(crate) const PEOPLE: usize = 10;
/// Groups that there may be.
pub(crate) const GROUPS: usize = 3;
/// Divisions and departments in which people may be.
pub(crate) const PLACES: [(Option<&str>, Option<&str>); 7] = [
    (None, None),
    (None, Some("Sales")),
    (Some("North"), None),
    (Some("North"), Some("Sales")),
    (Some("North"), Some("Ops")),
    (Some("South"), Some("Ops")),
    (Some("South"), Some("Lab")),
];
/// Names that an admin gives to departments by hand; some are those that the directory wants too.
pub(crate) const HAND_NAMES: [&str; 5] = ["Sales", "North", "Guests", "Ops", "Archive"];

/// What a person's manager is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boss {
    Nobody,
    Person(usize),
    Unknown,
}

/// What a person is to the organisation, which decides what some rules make of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Type {
    #[default]
    Unsaid,
    /// Somebody outside, who may become an external contact.
    Partner,
    /// Somebody whose account may be the organisation's own.
    Staff,
}

impl Type {
    fn some(random: &mut Random) -> Self {
        match random.below(10) {
            0..=3 => Self::Unsaid,
            4..=6 => Self::Partner,
            _ => Self::Staff,
        }
    }
}

/// What a SCIM client says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Name(usize),
    Title(Option<usize>),
    Email(Option<usize>),
    /// The number of that person; beyond the last one none, or none that can be used.
    Mobile(usize),
    JobNumber(Option<usize>),
    Project(Option<usize>),
    Place(usize),
    Boss(Boss),
    Active(bool),
    Type(Type),
}

/// What a SCIM client says of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Circle {
    With(usize),
    Without(usize),
    Called(usize),
    Gone,
}

/// What an admin does in DingTalk; departments and people are counted through as they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    RenameDepartment(usize),
    MoveDepartment(usize, usize),
    DeleteDepartment(usize),
    MakeDepartment {
        name: usize,
        under: usize,
    },
    DeletePerson(usize),
    RetitlePerson(usize),
    MovePerson(usize, usize),
    TakeEmail(usize),
    /// Fills a field that the organisation made itself.
    GiveShirt(usize),
    MakePerson {
        mobile: usize,
        within: usize,
    },
    RetitleContact(usize),
    DeleteContact(usize),
    /// An external contact who is nobody of ours, although they may have the number of one.
    MakeContact {
        mobile: usize,
    },
}

/// What a person does with plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planning {
    Make,
    Apply,
    ApplySome(u32),
    Release,
    Reject,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Create {
        person: usize,
        place: usize,
        boss: Boss,
        user_type: Type,
    },
    Put(usize, Put),
    Rename {
        from: usize,
        to: usize,
    },
    Delete(usize),
    Exodus {
        first: usize,
        number: usize,
    },
    Group(usize, Circle),
    ByHand(Hand),
    Mode(&'static str),
    Plan(Planning),
    /// Somebody takes back what was done; two people let pass what a guard holds of it.
    Undo {
        what: Undoing,
        at_once: bool,
    },
    /// Of what is held since, somebody lets one thing go.
    Lift(usize),
    /// Somebody says whose an account is, or is not.
    Linking(Linking),
    Mapping(Rules),
    Guards(u64),
    Crash(usize),
    /// The connection to the database breaks after the next statement has had its effect.
    Cut(usize),
    Freeze(usize),
    Thaw,
    Fault(String),
    Heal,
    /// The next creations time out, and are carried out so many milliseconds later.
    Late(u64),
    Outsider {
        mobile: usize,
        what: &'static str,
    },
    Answer {
        accept: bool,
        which: usize,
    },
    Retry,
    Collect,
    Time(u64),
}

/// A step: what happens, and how many gates are opened after it, by which chance.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) gates: usize,
    pub(crate) chance: u64,
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) seed: u64,
    pub(crate) workers: usize,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// The script of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x5eed_0f5c_4117);
        let workers = 1 + random.below(3);
        let mut steps = Vec::new();
        for person in 0..3 + random.below(5) {
            let action = create(&mut random, person);
            steps.push(step(&mut random, action));
        }
        if random.chance(55) {
            let rules = Rules { groups: Groups::some(&mut random), ..Rules::some(&mut random) };
            steps.push(step(&mut random, Action::Mapping(rules)));
            for _ in 0..2 + random.below(4) {
                let action = Action::Group(random.below(GROUPS), Circle::With(somebody(&mut random)));
                steps.push(step(&mut random, action));
            }
        }
        for _ in 0..6 + random.below(24) {
            let action = action(&mut random);
            steps.push(step(&mut random, action));
        }
        Self { seed, workers, steps }
    }
}

/// Mostly one of those who are there from the beginning.
fn somebody(random: &mut Random) -> usize {
    let among = if random.chance(70) { 6 } else { PEOPLE };
    random.below(among)
}

fn step(random: &mut Random, action: Action) -> Step {
    // Often a few gates, sometimes enough for everything that is due.
    let gates = match random.below(10) {
        0..=2 => 0,
        3..=6 => random.below(25),
        7..=8 => random.below(120),
        _ => 2_000,
    };
    Step { action, gates, chance: random.next() }
}

fn create(random: &mut Random, person: usize) -> Action {
    Action::Create { person, place: random.below(PLACES.len()), boss: boss(random), user_type: Type::some(random) }
}

fn linking(random: &mut Random) -> Linking {
    let person = somebody(random);
    match random.below(5) {
        0 | 1 => Linking::Break(person),
        2 => Linking::Link { person, account: random.below(12) },
        _ => Linking::LinkByNumber(person),
    }
}

fn boss(random: &mut Random) -> Boss {
    match random.below(10) {
        0..=2 => Boss::Nobody,
        3 => Boss::Unknown,
        _ => Boss::Person(somebody(random)),
    }
}

fn put(random: &mut Random) -> Put {
    match random.below(24) {
        0 => Put::Name(random.below(3)),
        1 => Put::Title(Some(random.below(3))),
        2 => Put::Title(None),
        3 | 4 => Put::Email((!random.chance(30)).then(|| random.below(4))),
        5 | 6 => Put::Mobile(random.below(PEOPLE + 2)),
        7 => Put::JobNumber((!random.chance(30)).then(|| random.below(4))),
        8..=10 => Put::Place(random.below(PLACES.len())),
        11..=13 => Put::Boss(boss(random)),
        14 | 15 => Put::Active(false),
        16 | 17 => Put::Project((!random.chance(30)).then(|| random.below(2))),
        18..=21 => Put::Type(Type::some(random)),
        _ => Put::Active(true),
    }
}

fn circle(random: &mut Random) -> Circle {
    match random.below(10) {
        0..=5 => Circle::With(somebody(random)),
        6 | 7 => Circle::Without(somebody(random)),
        // Names that were another group's before are among them.
        8 => Circle::Called(random.below(GROUPS + 1)),
        _ => Circle::Gone,
    }
}

fn hand(random: &mut Random) -> Hand {
    let (one, other) = (random.below(12), random.below(12));
    match random.below(13) {
        0 => Hand::RenameDepartment(one),
        1 => Hand::MoveDepartment(one, other),
        2 => Hand::DeleteDepartment(one),
        3 => Hand::MakeDepartment { name: random.below(HAND_NAMES.len()), under: one },
        4 => Hand::DeletePerson(one),
        5 => Hand::RetitlePerson(one),
        6 => Hand::MovePerson(one, other),
        7 => Hand::TakeEmail(random.below(4)),
        8 => Hand::GiveShirt(one),
        9 => Hand::RetitleContact(one),
        10 => Hand::DeleteContact(one),
        11 => Hand::MakeContact { mobile: somebody(random) },
        _ => Hand::MakePerson { mobile: somebody(random), within: other },
    }
}

fn fault(random: &mut Random) -> String {
    let paths = [
        "/",
        "/topapi/role",
        "/role",
        "/v1.0/im",
        "/topapi/v2/user",
        "/topapi/v2/department",
        "/topapi/v2/user/create",
        "/topapi/v2/user/update",
        "/topapi/extcontact",
        "/topapi/extcontact/create",
        "/v1.0/contact/orgAccounts",
        "/v1.0/contact/orgAccounts/signOut",
    ];
    let path = paths.get(random.below(paths.len())).copied().unwrap_or("/");
    let kinds = [
        r#""kind":"timeout""#,
        r#""kind":"timeout","after_commit":true"#,
        r#""kind":"down""#,
        r#""kind":"down","after_commit":true"#,
        r#""kind":{"errcode":-1}"#,
        r#""kind":{"errcode":-1},"after_commit":true"#,
        r#""kind":{"throttled":"app"}"#,
        r#""kind":{"throttled":"platform"}"#,
        r#""kind":"token_revoked""#,
        r#""kind":"scope_missing""#,
        r#""kind":{"http":502},"after_commit":true"#,
        r#""kind":"malformed","after_commit":true"#,
        r#""kind":{"ip_ban":"html"}"#,
        r#""kind":{"errcode":60128}"#,
        r#""kind":{"errcode":60003}"#,
    ];
    let kind = kinds.get(random.below(kinds.len())).copied().unwrap_or_default();
    // A person that is not there is something that only a call about people can say.
    let path = if kind.contains("60128") { "/topapi/v2/user/update" } else { path };
    let path = if kind.contains("60003") { "/topapi/v2/department/create" } else { path };
    format!(r#"{{"path":"{path}",{kind},"skip":{},"times":{}}}"#, random.below(4), 1 + random.below(4))
}

fn undoing(random: &mut Random) -> Undoing {
    let spans = [20_000, 90_000, 11 * 60_000, 3 * 3_600_000, 30 * 24 * 3_600_000];
    let ms = spans.get(random.below(spans.len())).copied().unwrap_or(1_000);
    match random.below(10) {
        0..=3 => Undoing::Since(ms),
        4..=6 => Undoing::To(somebody(random), ms),
        7..=8 => Undoing::Plan(random.below(4)),
        _ => Undoing::Version,
    }
}

fn action(random: &mut Random) -> Action {
    match random.below(127) {
        0..=7 => {
            let person = somebody(random);
            create(random, person)
        }
        8..=36 => Action::Put(somebody(random), put(random)),
        37..=40 => Action::Rename { from: random.below(PLACES.len()), to: random.below(PLACES.len()) },
        41..=44 => Action::Delete(somebody(random)),
        45..=46 => Action::Exodus { first: somebody(random), number: 3 + random.below(6) },
        47..=53 => Action::Group(random.below(GROUPS), circle(random)),
        54..=60 => Action::ByHand(hand(random)),
        61..=64 => Action::Mode(match random.below(4) {
            0 => "paused",
            1 => "rehearsal",
            _ => "live",
        }),
        65..=69 => Action::Plan(match random.below(5) {
            0 => Planning::Make,
            1 => Planning::Apply,
            2 => Planning::ApplySome(1),
            3 => Planning::Release,
            _ => Planning::Reject,
        }),
        70..=71 => Action::Guards(1 + u64::try_from(random.below(3)).unwrap_or(0)),
        72..=78 => Action::Crash(random.below(3)),
        79..=80 => Action::Freeze(random.below(3)),
        81 => Action::Thaw,
        82..=89 => Action::Fault(fault(random)),
        90 => Action::Heal,
        91..=92 => Action::Late(u64::try_from(random.below(40_000)).unwrap_or(0)),
        93..=95 => Action::Outsider {
            mobile: somebody(random),
            what: if random.chance(70) { "privacy" } else { "certified_corp" },
        },
        96..=98 => Action::Answer { accept: random.chance(70), which: random.below(4) },
        99 => Action::Retry,
        100 => Action::Collect,
        101..=104 => Action::Mapping(Rules::some(random)),
        105..=107 => Action::Cut(random.below(3)),
        108..=112 => Action::Undo { what: undoing(random), at_once: random.chance(80) },
        113..=114 => Action::Lift(random.below(6)),
        115..=120 => Action::Linking(linking(random)),
        _ => {
            let spans = [1_000, 20_000, 90_000, 11 * 60_000, 61 * 60_000, 25 * 3_600_000, 8 * 24 * 3_600_000];
            Action::Time(spans.get(random.below(spans.len())).copied().unwrap_or(1_000))
        }
    }
}

impl std::fmt::Display for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}, {} workers, {} steps", self.seed, self.workers, self.steps.len())?;
        for (number, Step { action, gates, .. }) in self.steps.iter().enumerate() {
            writeln!(f, "  {number:>2}. {action:?}, then {gates} gates")?;
        }
        Ok(())
    }
}
