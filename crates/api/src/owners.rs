//! Which source decides which attribute. What another source writes there is accepted, recorded and not applied, so that
//! no source has to be configured around another one.

use rollcall_provisioning::ids::{ResourceKind, SourceId};
use rollcall_scim::resource::Resource;
use rollcall_scim::schema::{ResourceType, enterprise};
use rollcall_store::owners::AttributeOwner;
use rollcall_store::write::Wish;
use serde_json::{Map, Value};

/// The owners of the attributes of one type.
#[derive(Debug, Default)]
pub(crate) struct Owners(Vec<Owned>);

#[derive(Debug)]
struct Owned {
    /// The URN of the extension that defines it.
    schema: Option<String>,
    attribute: String,
    source: SourceId,
}

impl Owned {
    /// Its name in a path.
    fn name(&self) -> String {
        self.schema.as_ref().map_or_else(|| self.attribute.clone(), |urn| format!("{urn}:{}", self.attribute))
    }

    fn is(&self, (schema, attribute): Name<'_>) -> bool {
        self.schema.as_deref() == schema && self.attribute == attribute
    }

    fn value<'r>(&self, attributes: &'r Map<String, Value>) -> Option<&'r Value> {
        let home = match &self.schema {
            None => attributes,
            Some(urn) => attributes.get(urn)?.as_object()?,
        };
        home.get(&self.attribute)
    }

    /// Whether it has another value. Somebody is active unless it is said otherwise (RFC 7643 §4.1.1).
    fn differs(&self, before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
        let (before, after) = (self.value(before), self.value(after));
        let active = |value: Option<&Value>| value.is_none_or(|value| *value != Value::Bool(false));
        if self.is(ACTIVE) { active(before) != active(after) } else { before != after }
    }

    fn put(&self, attributes: &mut Map<String, Value>, value: Option<Value>) {
        let Some(urn) = &self.schema else { return put(attributes, &self.attribute, value) };
        let mut home = match attributes.shift_remove(urn) {
            Some(Value::Object(home)) => home,
            _ => Map::new(),
        };
        put(&mut home, &self.attribute, value);
        if !home.is_empty() {
            attributes.insert(urn.clone(), Value::Object(home));
        }
    }
}

fn put(attributes: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => attributes.insert(name.to_owned(), value),
        None => attributes.shift_remove(name),
    };
}

impl Owners {
    /// Those of a type, of all that a tenant has chosen. An attribute that no schema defines any more has no owner.
    pub(crate) fn of(rt: &ResourceType, kind: ResourceKind, all: &[AttributeOwner]) -> Self {
        let owned = |owner: &AttributeOwner| {
            let (schema, attribute) = split(rt, &owner.attribute)?;
            Some(Owned { schema, attribute, source: owner.source })
        };
        Self(all.iter().filter(|owner| owner.kind == kind).filter_map(owned).collect())
    }

    /// True if another source decides an attribute.
    pub(crate) fn deny(&self, source: SourceId, name: Name<'_>) -> bool {
        let mut of_others = self.0.iter().filter(|owned| owned.source != source);
        of_others.any(|owned| owned.is(name))
    }

    /// What becomes of a resource when a source changes it to `after`: what others decide stays as it was.
    pub(crate) fn apply(&self, source: SourceId, before: &Resource, after: Resource) -> Wish<Resource> {
        self.keep(source, before, after, |_, _| true)
    }

    /// The same when `after` is all that the source sends: what it leaves out it does not know, so that is not withheld.
    pub(crate) fn apply_whole(&self, source: SourceId, before: &Resource, after: Resource) -> Wish<Resource> {
        self.keep(source, before, after, |owned, after| owned.value(after.as_map()).is_some())
    }

    /// Keeps what others decide as it was. `is_wish` says whether the source meant to change it.
    fn keep(
        &self,
        source: SourceId,
        before: &Resource,
        after: Resource,
        is_wish: impl Fn(&Owned, &Resource) -> bool,
    ) -> Wish<Resource> {
        let differs = |owned: &&Owned| owned.source != source && owned.differs(before.as_map(), after.as_map());
        let denied: Vec<&Owned> = self.0.iter().filter(differs).collect();
        if denied.is_empty() {
            return after.into();
        }
        let mut attributes = after.as_map().clone();
        for owned in &denied {
            owned.put(&mut attributes, owned.value(before.as_map()).cloned());
        }
        let withheld = denied.into_iter().filter(|owned| is_wish(owned, &after)).map(Owned::name).collect();
        Wish { becomes: Resource::from_map(attributes), withheld }
    }

    /// What becomes of a new resource: what others decide waits for them, except for what must be there. Nobody is active
    /// before whoever decides that has said so.
    pub(crate) fn apply_to_new(&self, rt: &ResourceType, source: SourceId, resource: Resource) -> Wish<Resource> {
        let must = |owned: &Owned| {
            owned.schema.is_none() && rt.top_level_attribute(&owned.attribute).is_some_and(|known| known.required)
        };
        let mut nothing = Map::from_iter([(ACTIVE.1.to_owned(), Value::Bool(false))]);
        for owned in self.0.iter().filter(|owned| must(owned)) {
            owned.put(&mut nothing, owned.value(resource.as_map()).cloned());
        }
        self.apply_whole(source, &Resource::from_map(nothing), resource)
    }
}

/// The URN of the extension that defines an attribute, if one does, and the attribute's name.
pub(crate) type Name<'a> = (Option<&'a str>, &'a str);

/// Whether somebody works here; who decides it also decides about deletions.
pub(crate) const ACTIVE: Name<'_> = (None, "active");
/// Whom somebody reports to.
pub(crate) const MANAGER: Name<'_> = (Some(enterprise::URN), "manager");

/// The schema and the canonical name behind the name of an attribute; `None` for what a source cannot decide: what does
/// not exist, what only the server writes, and `externalId`, which every source has for itself.
pub(crate) fn split(rt: &ResourceType, name: &str) -> Option<(Option<String>, String)> {
    let writable = |attribute: &rollcall_scim::schema::Attribute| {
        attribute.mutability != rollcall_scim::schema::Mutability::ReadOnly
    };
    // The URN of the core schema may stand before the names that it defines (RFC 7644 §3.10).
    let core = name.rsplit_once(':').filter(|(urn, _)| rt.schema.id.eq_ignore_ascii_case(urn));
    let name = core.map_or(name, |(_, attribute)| attribute);
    if let Some((urn, attribute)) = name.rsplit_once(':') {
        let extension = rt.extension(urn)?;
        let attribute = extension.schema.attribute(attribute).filter(|attribute| writable(attribute))?;
        return Some((Some(extension.schema.id.clone()), attribute.name.clone()));
    }
    let attribute = rt.schema.attribute(name).filter(|attribute| writable(attribute))?;
    Some((None, attribute.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_scim::schema::builtin;
    use serde_json::json;
    use uuid::Uuid;

    const HR: SourceId = SourceId(Uuid::from_u128(1));
    const OKTA: SourceId = SourceId(Uuid::from_u128(2));

    fn resource(value: Value) -> Resource {
        let Value::Object(map) = value else { panic!("not an object") };
        Resource::from_map(map)
    }

    fn owners() -> Owners {
        let department = format!("{}:DEPARTMENT", enterprise::URN.to_uppercase());
        let of_hr = ["Title", "active", "userName", &department, "groups", "externalId", "nope"];
        let owned =
            |name: &&str| AttributeOwner { kind: ResourceKind::User, attribute: (*name).to_owned(), source: HR };
        let all: Vec<AttributeOwner> = of_hr.iter().map(owned).collect();
        Owners::of(&builtin::user_type(), ResourceKind::User, &all)
    }

    #[test]
    fn what_another_source_decides_stays() {
        let before =
            json!({ "userName": "ada", "title": "Boss", "nickName": "A", enterprise::URN: { "department": "R" } });
        // What the source wants, what becomes of it, what was withheld.
        let department = format!("{}:department", enterprise::URN);
        let cases = [
            (
                json!({ "userName": "ada", "title": "Clerk", "nickName": "B", enterprise::URN: { "department": "R" } }),
                json!({ "userName": "ada", "title": "Boss", "nickName": "B", enterprise::URN: { "department": "R" } }),
                vec!["title"],
            ),
            (
                json!({ "userName": "ada" }),
                json!({ "userName": "ada", "title": "Boss", enterprise::URN: { "department": "R" } }),
                vec![],
            ),
            (
                json!({ "userName": "ada", "title": "Boss", "active": false,
                        enterprise::URN: { "department": "S", "division": "D" } }),
                json!({ "userName": "ada", "title": "Boss", enterprise::URN: { "division": "D", "department": "R" } }),
                vec!["active", &department],
            ),
        ];
        for (wanted, becomes, withheld) in cases {
            let wish = owners().apply_whole(OKTA, &resource(before.clone()), resource(wanted.clone()));
            assert_eq!(Value::Object(wish.becomes.as_map().clone()), becomes, "{wanted}");
            assert_eq!(wish.withheld, withheld, "{wanted}");
            let wish = owners().apply(HR, &resource(before.clone()), resource(wanted.clone()));
            assert_eq!((wish.becomes, wish.withheld), (resource(wanted), vec![]), "its owner may");
        }
    }

    #[test]
    fn who_comes_has_what_must_be_there() {
        let new =
            json!({ "userName": "ada", "title": "Clerk", "active": true, enterprise::URN: { "department": "R" } });
        let wish = owners().apply_to_new(&builtin::user_type(), OKTA, resource(new));
        assert_eq!(wish.becomes, resource(json!({ "userName": "ada", "active": false })));
        assert_eq!(wish.withheld, ["title".to_owned(), "active".to_owned(), format!("{}:department", enterprise::URN)]);
    }
}
