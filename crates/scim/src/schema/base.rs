//! The attributes every resource has, whatever its schemas (RFC 7643 §3, §3.1).

use std::sync::LazyLock;

use super::{Attribute, Kind, Returned, Storage, Uniqueness};

static BASE: LazyLock<Vec<Attribute>> = LazyLock::new(|| {
    vec![
        // URNs are compared without regard to case (RFC 8141 §3.1).
        Attribute {
            case_exact: false,
            ..Attribute::reference("schemas", "URNs of the schemas that the resource uses.", &["uri"])
        }
        .multi()
        .required()
        .returned(Returned::Always)
        .storage(Storage::Computed),
        Attribute::string("id", "Identifier given by this server; never used again for another resource.")
            .case_exact()
            .read_only()
            .returned(Returned::Always)
            .unique(Uniqueness::Server),
        Attribute::string("externalId", "Identifier given by the client that pushes the resource.").case_exact(),
        Attribute::complex(
            "meta",
            "Facts about the resource, kept by the server.",
            vec![
                Attribute::string("resourceType", "Name of the resource type.").case_exact().read_only(),
                Attribute::new("created", Kind::DateTime, "When the resource was created.").read_only(),
                Attribute::new("lastModified", Kind::DateTime, "When the resource last changed.").read_only(),
                Attribute::reference("location", "URL of the resource.", &["uri"]).read_only(),
                Attribute::string("version", "Version of the resource; equal to its ETag.").case_exact().read_only(),
            ],
        )
        .read_only(),
    ]
});

/// `schemas`, `id`, `externalId` and `meta`, which belong to no schema and to every resource.
pub fn base_attributes() -> &'static [Attribute] {
    &BASE
}
