//! The sample organisation: invented people with English, Chinese and Arabic names, in a company with its
//! subsidiaries, divisions and departments. The same for the same number of people, so that two runs can be compared.
//! A few of them carry a fault on purpose, so that every state can be seen.

use serde_json::{Value, json};

/// A subsidiary with its divisions and their departments.
struct Subsidiary {
    name: &'static str,
    divisions: [(&'static str, [&'static str; 3]); 3],
    given: [&'static str; 12],
    family: [&'static str; 12],
    titles: [&'static str; 4],
}

const SUBSIDIARIES: [Subsidiary; 3] = [
    Subsidiary {
        name: "Sample Trading Hong Kong",
        divisions: [
            ("Sales", ["Retail", "Wholesale", "Customer Care"]),
            ("Operations", ["Logistics", "Warehouse", "Purchasing"]),
            ("Technology", ["Platform", "R&D - Apps", "Service Desk"]),
        ],
        given: [
            "Alice", "Brian", "Carol", "Daniel", "Emma", "Frank", "Grace", "Henry", "Irene", "Jack", "Karen", "Leo",
        ],
        family: [
            "Archer", "Baker", "Carter", "Dyer", "Fisher", "Gardner", "Hunter", "Mason", "Porter", "Sawyer", "Tanner",
            "Weaver",
        ],
        titles: ["Analyst", "Specialist", "Coordinator", "Engineer"],
    },
    Subsidiary {
        name: "样例贸易（上海）",
        divisions: [
            ("销售", ["华东区", "华南区", "渠道"]),
            ("供应链", ["采购", "仓储", "物流"]),
            ("财务与人事", ["会计", "薪酬", "招聘"]),
        ],
        given: ["伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "艳", "杰", "婷", "鹏"],
        family: ["王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙"],
        titles: ["专员", "工程师", "主管", "助理"],
    },
    Subsidiary {
        name: "العينة للتجارة دبي",
        divisions: [
            ("المبيعات", ["التجزئة", "الجملة", "خدمة العملاء"]),
            ("العمليات", ["المشتريات", "المستودعات", "النقل"]),
            ("المالية", ["المحاسبة", "الرواتب", "التدقيق"]),
        ],
        given: ["أحمد", "فاطمة", "محمد", "مريم", "خالد", "نورة", "يوسف", "ليلى", "عمر", "هند", "سالم", "عائشة"],
        family: [
            "النجار",
            "الحداد",
            "الخياط",
            "الصباغ",
            "العطار",
            "البناء",
            "الصائغ",
            "الحلاق",
            "الخباز",
            "الراعي",
            "الملاح",
            "الكاتب",
        ],
        titles: ["محلل", "منسق", "أخصائي", "مساعد"],
    },
];

/// What is special about somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Nothing.
    Ordinary,
    /// DingTalk will ask them whether they want to join.
    Invited,
    /// They leave once they have arrived.
    Leaver,
}

/// One person of the sample.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// What the source knows them by.
    pub(super) user_name: String,
    /// The SCIM User, without the manager.
    pub(super) user: Value,
    /// Index of the manager in the list; always smaller than one's own.
    pub(super) manager: Option<usize>,
    /// The group of their department.
    pub(super) group: Option<String>,
    /// The mobile number as sent.
    pub(super) mobile: Option<String>,
    /// What is special about them.
    pub(super) part: Part,
}

/// Where somebody sits: subsidiary, division and department, each below the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seat {
    subsidiary: usize,
    division: Option<usize>,
    department: Option<usize>,
}

/// Everybody above the ordinary staff: three heads of subsidiaries, nine of divisions, twenty-seven of departments.
fn heads() -> Vec<(Seat, Option<usize>)> {
    let mut heads = Vec::with_capacity(39);
    for subsidiary in 0..3 {
        // The head of the first subsidiary leads the company.
        heads.push((Seat { subsidiary, division: None, department: None }, (subsidiary > 0).then_some(0)));
    }
    for subsidiary in 0..3 {
        for division in 0..3 {
            heads.push((Seat { subsidiary, division: Some(division), department: None }, Some(subsidiary)));
        }
    }
    for subsidiary in 0..3 {
        for division in 0..3 {
            for department in 0..3 {
                let seat = Seat { subsidiary, division: Some(division), department: Some(department) };
                heads.push((seat, Some(3 + subsidiary * 3 + division)));
            }
        }
    }
    heads
}

/// The first `count` people of the sample. Managers come before those who report to them.
pub(super) fn people(count: u32) -> Vec<Person> {
    let heads = heads();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut people = Vec::with_capacity(count);
    for index in 0..count {
        // Behind the heads, ordinary staff are dealt out to the departments in turn.
        let department = 12 + index % 27;
        let (seat, manager) = match (heads.get(index), heads.get(department)) {
            (Some(head), _) => *head,
            (None, Some((seat, _))) => (*seat, Some(department)),
            (None, None) => break,
        };
        people.push(person(index, seat, manager));
    }
    with_faults(people)
}

fn person(index: usize, seat: Seat, manager: Option<usize>) -> Person {
    let subsidiary = SUBSIDIARIES.get(seat.subsidiary).unwrap_or(&SUBSIDIARIES[0]);
    let pick = |names: &[&'static str; 12], step: usize| names.get((index / step + index) % 12).copied().unwrap_or("");
    let (given, family) = (pick(&subsidiary.given, 27), pick(&subsidiary.family, 5));
    let display_name = if seat.subsidiary == 1 { format!("{family}{given}") } else { format!("{given} {family}") };
    let division = seat.division.and_then(|division| subsidiary.divisions.get(division));
    let department = division.and_then(|(_, names)| seat.department.and_then(|department| names.get(department)));
    let head = index < heads().len();
    let title = match (head, division, department) {
        (true, None, _) => "Managing Director",
        (true, Some(_), None) => "Division Manager",
        (true, Some(_), Some(_)) => "Department Manager",
        _ => subsidiary.titles.get(index % 4).copied().unwrap_or("Analyst"),
    };
    let mobile = match seat.subsidiary {
        0 => format!("+852 9{:03} {:04}", index / 10_000 % 1000, index % 10_000),
        1 => format!("138{index:08}"),
        _ => format!("+971 50 {:03} {:04}", index / 10_000 % 1000, index % 10_000),
    };
    let user_name = format!("person.{index:05}@sample.example");
    let mut enterprise = json!({ "employeeNumber": format!("E{index:05}"), "organization": subsidiary.name });
    if let Some(fields) = enterprise.as_object_mut() {
        division.map(|(name, _)| fields.insert("division".to_owned(), json!(name)));
        department.map(|name| fields.insert("department".to_owned(), json!(name)));
    }
    let user = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "userName": user_name,
        "externalId": format!("sample-{index:05}"),
        "active": true,
        "displayName": display_name,
        "name": { "givenName": given, "familyName": family },
        "title": title,
        "emails": [{ "type": "work", "value": user_name, "primary": true }],
        "phoneNumbers": [{ "type": "mobile", "value": mobile }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": enterprise,
    });
    let group = department.map(|name| format!("{} / {name}", subsidiary.name));
    Person { user_name, user, manager, group, mobile: Some(mobile), part: Part::Ordinary }
}

/// The last few carry faults or leave. A sample of fewer than fifty people has none.
fn with_faults(mut people: Vec<Person>) -> Vec<Person> {
    if people.len() < 50 {
        return people;
    }
    let twin = people.get(5).and_then(|person| person.mobile.clone());
    let mut last = people.iter_mut().rev();
    if let Some(person) = last.next() {
        set_mobile(person, None);
    }
    if let Some(person) = last.next() {
        set_mobile(person, twin);
    }
    if let Some(person) = last.next() {
        let endless = "Senior Vice President for Everything, ".repeat(6);
        set(person, "title", json!(endless.trim_end_matches(", ")));
    }
    if let Some(person) = last.next() {
        person.part = Part::Invited;
    }
    for person in last.by_ref().take(3) {
        person.part = Part::Leaver;
    }
    people
}

fn set_mobile(person: &mut Person, mobile: Option<String>) {
    let numbers = mobile.iter().map(|number| json!({ "type": "mobile", "value": number })).collect();
    set(person, "phoneNumbers", Value::Array(numbers));
    person.mobile = mobile;
}

fn set(person: &mut Person, attribute: &str, value: Value) {
    if let Some(user) = person.user.as_object_mut() {
        user.insert(attribute.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn managers_come_first_and_names_are_unique() {
        let people = people(300);
        assert_eq!(people.len(), 300);
        for (index, person) in people.iter().enumerate() {
            assert!(person.manager.is_none_or(|manager| manager < index), "{index}");
        }
        let names: BTreeSet<_> = people.iter().map(|person| &person.user_name).collect();
        assert_eq!(names.len(), people.len());
        assert_eq!(people.iter().filter(|person| person.manager.is_none()).count(), 1, "one leads the company");
    }

    #[test]
    fn every_kind_of_fault_is_there() {
        let people = people(200);
        let mobiles: Vec<_> = people.iter().filter_map(|person| person.mobile.as_ref()).collect();
        let different: BTreeSet<_> = mobiles.iter().collect();
        assert_eq!(mobiles.len(), 199, "one has no number");
        assert_eq!(different.len(), 198, "two share one");
        let long =
            people.iter().filter(|person| person.user["title"].as_str().is_some_and(|t| t.chars().count() > 200));
        assert_eq!(long.count(), 1);
        assert_eq!(people.iter().filter(|person| person.part == Part::Invited).count(), 1);
        assert_eq!(people.iter().filter(|person| person.part == Part::Leaver).count(), 3);
    }
}
