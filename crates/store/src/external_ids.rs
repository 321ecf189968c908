//! The externalIds of one resource. Each belongs to the client that gave it (RFC 7643 §3.1), so every source sees and
//! writes its own, under the one name `externalId`.

use rollcall_provisioning::ids::SourceId;
use rollcall_scim::resource::Resource;
use serde_json::{Map, Value};
use uuid::Uuid;

const NAME: &str = "externalId";

/// What each source calls a resource.
#[derive(Clone, PartialEq, Debug)]
pub struct ExternalIds {
    creator: SourceId,
    of_creator: Option<String>,
    /// Those of other sources, by the text of their ids; null for a source, the creator too, that has let go.
    of_others: Map<String, Value>,
}

impl ExternalIds {
    /// Those of a resource that `creator` is about to create.
    pub(crate) fn new(creator: SourceId, resource: &Resource) -> Self {
        Self { creator, of_creator: resource.string(NAME).map(str::to_owned), of_others: Map::new() }
    }

    /// Those of a row; its `attributes` hold the one of the creator. `None` if the column is no object.
    pub(crate) fn of_row(creator: Uuid, attributes: &Map<String, Value>, others: Option<Value>) -> Option<Self> {
        let of_others = match others {
            None => Map::new(),
            Some(Value::Object(map)) => map,
            Some(_) => return None,
        };
        let of_creator = attributes.get(NAME).and_then(Value::as_str).map(str::to_owned);
        Some(Self { creator: SourceId(creator), of_creator, of_others })
    }

    /// The source that created the resource.
    pub const fn creator(&self) -> SourceId {
        self.creator
    }

    /// What a source calls the resource.
    pub fn of(&self, source: SourceId) -> Option<&str> {
        if source == self.creator {
            self.of_creator.as_deref()
        } else {
            self.of_others.get(&source.to_string()).and_then(Value::as_str)
        }
    }

    /// Whether a source has created the resource, or written to it by a name of its own, or let go of it since.
    pub fn has_known(&self, source: SourceId) -> bool {
        source == self.creator || self.of_others.contains_key(&source.to_string())
    }

    /// Whether the resource is none of the source's any more: it has deleted it, and another source keeps it.
    pub fn was_let_go_by(&self, source: SourceId) -> bool {
        self.of_others.get(&source.to_string()).is_some_and(Value::is_null)
    }

    /// What they become when a source lets go that has written a resource without a name of its own.
    pub(crate) fn let_go(mut self, source: SourceId) -> Self {
        self.of_others.insert(source.to_string(), Value::Null);
        self
    }

    /// What each source calls the resource, the creator first.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &str)> {
        let others = self.of_others.iter();
        let others = others.filter_map(|(source, id)| Some((SourceId(source.parse().ok()?), id.as_str()?)));
        self.of_creator.as_deref().map(|id| (self.creator, id)).into_iter().chain(others)
    }

    /// Attributes as a source sees them; as the creator does, if nobody in particular looks.
    pub(crate) fn shown(&self, viewer: Option<SourceId>, mut attributes: Map<String, Value>) -> Map<String, Value> {
        if let Some(viewer) = viewer.filter(|viewer| *viewer != self.creator) {
            put(&mut attributes, self.of(viewer));
        }
        attributes
    }

    /// What they become when a source writes a resource as it sees it, and the resource to be kept; `None` if that is the
    /// very same.
    pub(crate) fn written(&self, writer: SourceId, resource: &Resource) -> (Self, Option<Resource>) {
        let mut after = self.clone();
        let given = resource.string(NAME).map(str::to_owned);
        let name = writer.to_string();
        // Whoever writes has not let go.
        after.of_others.shift_remove(&name);
        if writer == self.creator {
            after.of_creator = given;
            return (after, None);
        }
        let mut attributes = resource.as_map().clone();
        after.of_others.extend(given.map(|id| (name, id.into())));
        put(&mut attributes, self.of_creator.as_deref());
        (after, Some(Resource::from_map(attributes)))
    }

    /// The column of all but the creator.
    pub(crate) fn others(&self) -> Option<Value> {
        (!self.of_others.is_empty()).then(|| Value::Object(self.of_others.clone()))
    }
}

/// A resource as a source leaves it that lets go.
pub(crate) fn without_external_id(resource: Resource) -> Resource {
    let mut attributes = resource.into_map();
    put(&mut attributes, None);
    Resource::from_map(attributes)
}

fn put(attributes: &mut Map<String, Value>, id: Option<&str>) {
    match id {
        Some(id) => attributes.insert(NAME.to_owned(), id.into()),
        None => attributes.shift_remove(NAME),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resource(value: Value) -> Resource {
        let Value::Object(map) = value else { panic!("not an object") };
        Resource::from_map(map)
    }

    #[test]
    fn everybody_sees_and_writes_their_own() {
        let [okta, hr, other] = [1, 2, 3].map(|number| SourceId(Uuid::from_u128(number)));
        let ids = ExternalIds::new(okta, &resource(json!({ "userName": "ada", "externalId": "00u1" })));
        let seen = |ids: &ExternalIds, viewer| {
            ids.shown(viewer, resource(json!({ "externalId": "00u1" })).as_map().clone()).get(NAME).cloned()
        };
        assert_eq!((seen(&ids, Some(okta)), seen(&ids, None)), (Some(json!("00u1")), Some(json!("00u1"))));
        assert_eq!(seen(&ids, Some(hr)), None);

        let (ids, kept) = ids.written(hr, &resource(json!({ "userName": "ada", "title": "x", "externalId": "W7" })));
        let wanted = resource(json!({ "userName": "ada", "title": "x", "externalId": "00u1" }));
        assert_eq!(kept, Some(wanted));
        assert_eq!((seen(&ids, Some(hr)), seen(&ids, Some(other))), (Some(json!("W7")), None));
        assert_eq!(ids.iter().collect::<Vec<_>>(), [(okta, "00u1"), (hr, "W7")]);

        let (ids, kept) = ids.written(okta, &resource(json!({ "userName": "ada" })));
        assert_eq!((kept, ids.of(okta)), (None, None), "its own is gone");
        assert_eq!(ids.of(hr), Some("W7"), "and nobody else's");
        let (ids, kept) = ids.written(hr, &resource(json!({ "userName": "ada" })));
        assert_eq!((kept, ids.others()), (Some(resource(json!({ "userName": "ada" }))), None));
    }

    #[test]
    fn who_lets_go_is_remembered_until_they_write_again() {
        let [okta, hr, other] = [1, 2, 3].map(|number| SourceId(Uuid::from_u128(number)));
        let ids = ExternalIds::new(okta, &resource(json!({ "userName": "ada", "externalId": "00u1" })));
        let (ids, _) = ids.written(hr, &resource(json!({ "userName": "ada", "externalId": "W7" })));
        for source in [okta, hr] {
            let (gone, _) = ids.written(source, &resource(json!({ "userName": "ada" })));
            let gone = gone.let_go(source);
            let state = |ids: &ExternalIds| (ids.of(source).map(str::to_owned), ids.was_let_go_by(source));
            assert_eq!((state(&gone), gone.iter().count()), ((None, true), 1));
            assert!(gone.has_known(source) && !gone.has_known(other));
            let (back, _) = gone.written(source, &resource(json!({ "userName": "ada", "externalId": "new" })));
            assert_eq!(state(&back), (Some("new".to_owned()), false));
            let (back, _) = gone.written(source, &resource(json!({ "userName": "ada" })));
            assert_eq!(state(&back), (None, false));
            let (still, _) = gone.written(other, &resource(json!({ "userName": "ada" })));
            assert_eq!(state(&still), (None, true));
        }
    }
}
