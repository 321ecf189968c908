//! What expressions can see, as a shape: which attributes there are and what they consist of. It comes from the SCIM
//! schemas, so a tenant's own extension is as well known as a built-in attribute.

use rollcall_scim::schema::{Attribute, Kind, ResourceType, enterprise};
use std::collections::BTreeMap;

/// The resource types of a tenant, with all its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Schemas<'a> {
    /// People.
    pub user: &'a ResourceType,
    /// Groups.
    pub group: &'a ResourceType,
}

/// What stands at a place.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    /// One value without parts, or `null`.
    Single(Kind),
    /// Named parts, all of which are always there.
    Parts(Parts),
    /// Many of the same shape, perhaps none.
    Many(Box<Shape>),
}

/// Named parts.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Parts(pub(super) BTreeMap<String, Shape>);

impl Parts {
    fn of<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> Self {
        let kept = attributes.into_iter().filter(|attribute| attribute.is_kept());
        Self(kept.map(|attribute| (attribute.name.clone(), Shape::of(attribute))).collect())
    }

    fn texts(names: &[&str]) -> Self {
        Self(names.iter().map(|name| ((*name).to_owned(), Shape::Single(Kind::String))).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Shape {
    fn of(attribute: &Attribute) -> Self {
        let one = match attribute.kind {
            Kind::Complex => Self::Parts(Parts::of(&attribute.sub_attributes)),
            kind => Self::Single(kind),
        };
        if attribute.multi_valued { Self::Many(Box::new(one)) } else { one }
    }
}

/// The shapes of all variables.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Shapes {
    pub(super) user: Shape,
    pub(super) enterprise: Shape,
    pub(super) extensions: Shape,
    pub(super) groups: Shape,
    pub(super) source: Shape,
    pub(super) group: Shape,
    pub(super) path: Shape,
}

impl Shapes {
    pub(super) fn of(schemas: Schemas<'_>) -> Self {
        Self {
            user: whole(schemas.user, &["members"]),
            enterprise: Shape::Parts(
                schemas
                    .user
                    .extension(enterprise::URN)
                    .map_or_else(|| Parts(BTreeMap::new()), |extension| Parts::of(&extension.schema.attributes)),
            ),
            extensions: Shape::Parts(Parts(
                schemas
                    .user
                    .extensions
                    .iter()
                    .map(|extension| (extension.schema.id.clone(), Parts::of(&extension.schema.attributes)))
                    .filter(|(_, parts)| !parts.0.is_empty())
                    .map(|(urn, parts)| (urn, Shape::Parts(parts)))
                    .collect(),
            )),
            groups: Shape::Many(Box::new(Shape::Parts(Parts::texts(&["id", "displayName", "externalId"])))),
            source: Shape::Parts(Parts::texts(&["name", "profile"])),
            group: whole(schemas.group, &["members"]),
            path: Shape::Many(Box::new(Shape::Single(Kind::String))),
        }
    }
}

/// The attributes of a resource outside its extensions, and its id.
fn whole(resource_type: &ResourceType, without: &[&str]) -> Shape {
    let mut parts = Parts::of(resource_type.top_level());
    parts.0.retain(|name, _| !without.contains(&name.as_str()));
    parts.0.insert("id".to_owned(), Shape::Single(Kind::String));
    Shape::Parts(parts)
}
