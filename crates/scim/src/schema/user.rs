//! The core User (RFC 7643 §4.1 and §8.7.1, errata 8471 and 8435).

use super::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness, Wrapping, sub};

/// URN of the core User schema.
pub const URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The core User schema. `active` is true for a person who is written without it.
pub fn schema() -> Schema {
    let mut attributes = single_valued();
    attributes.extend(multi_valued());
    Schema::new(URN, "User", "A person", attributes)
}

fn single_valued() -> Vec<Attribute> {
    let name = vec![
        Attribute::string("formatted", "The whole name, ready for display."),
        Attribute::string("familyName", "Family name."),
        Attribute::string("givenName", "Given name."),
        Attribute::string("middleName", "Middle names."),
        Attribute::string("honorificPrefix", "Title before the name, such as \"Dr.\"."),
        Attribute::string("honorificSuffix", "Suffix after the name, such as \"III\"."),
    ];
    vec![
        Attribute::string("userName", "Name by which the person signs in; unique in the tenant whatever its case.")
            .required()
            .unique(Uniqueness::Server),
        Attribute::complex("name", "The parts of the person's name.", name),
        Attribute::string("displayName", "Name shown to other people."),
        Attribute::string("nickName", "Casual name."),
        Attribute::reference("profileUrl", "URL of a page about the person.", &["external"]),
        Attribute::string("title", "Job title."),
        Attribute::string("userType", "Relation to the organisation, such as \"Employee\" or \"Contractor\"."),
        Attribute::string("preferredLanguage", "Languages in the form of an Accept-Language header."),
        Attribute::string("locale", "Locale for dates, numbers and money, as a BCP 47 tag."),
        Attribute::string("timezone", "Time zone by its IANA name."),
        Attribute::new("active", Kind::Boolean, "False suspends the person; the resource stays.").default_value(true),
        Attribute::string("password", "Accepted and dropped: this server keeps no passwords.")
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
    ]
}

fn multi_valued() -> Vec<Attribute> {
    const PLACES: [&str; 3] = ["work", "home", "other"];
    vec![
        plural("emails", "E-mail addresses.", Attribute::string(sub::VALUE, "An e-mail address."), &PLACES),
        plural(
            "phoneNumbers",
            "Phone numbers.",
            Attribute::string(sub::VALUE, "A phone number, preferably as in RFC 3966."),
            &["work", "home", "mobile", "fax", "pager", "other"],
        ),
        plural(
            "ims",
            "Instant messaging addresses.",
            Attribute::string(sub::VALUE, "An instant messaging address."),
            &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
        ),
        plural(
            "photos",
            "Pictures of the person.",
            Attribute::reference(sub::VALUE, "URL of a picture.", &["external"]),
            &["photo", "thumbnail"],
        ),
        Attribute::complex("addresses", "Postal addresses.", address(&PLACES)).multi(),
        Attribute::complex("groups", "Groups the person belongs to; changed through the groups.", groups())
            .multi()
            .read_only(),
        plural("entitlements", "Things the person has.", Attribute::string(sub::VALUE, "An entitlement."), &[]),
        plural("roles", "Roles the person has.", Attribute::string(sub::VALUE, "A role."), &[])
            .wrapping(Wrapping::JsonText),
        plural(
            "x509Certificates",
            "Certificates issued to the person.",
            Attribute::new(sub::VALUE, Kind::Binary, "A DER certificate in base64."),
            &[],
        ),
    ]
}

/// A multi-valued attribute with the usual sub-attributes (RFC 7643 §2.4).
fn plural(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    Attribute::complex(
        name,
        description,
        vec![value, Attribute::string("display", "The value for people."), label(types), primary()],
    )
    .multi()
}

fn label(types: &[&str]) -> Attribute {
    Attribute::string(sub::TYPE, "What the value is used for.").canonical(types)
}

fn primary() -> Attribute {
    Attribute::new(sub::PRIMARY, Kind::Boolean, "True for the preferred value; at most one has it.")
}

fn address(types: &[&str]) -> Vec<Attribute> {
    vec![
        Attribute::string("formatted", "The whole address, ready for a label."),
        Attribute::string("streetAddress", "Street, house number and the like; may hold line breaks."),
        Attribute::string("locality", "City."),
        Attribute::string("region", "State or province."),
        Attribute::string("postalCode", "Postal code."),
        Attribute::string("country", "Country, preferably its ISO 3166-1 alpha-2 code."),
        label(types),
        primary(),
    ]
}

fn groups() -> Vec<Attribute> {
    vec![
        Attribute::string(sub::VALUE, "Identifier of the group.").case_exact().read_only(),
        Attribute::reference(sub::REF, "URL of the group.", &["Group"]).read_only(),
        Attribute::string("display", "Name of the group.").read_only(),
        Attribute::string(sub::TYPE, "Whether the membership is direct or through another group.")
            .canonical(&["direct", "indirect"])
            .read_only(),
    ]
}
