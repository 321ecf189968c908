//! One attribute of a schema (RFC 7643 §2.2, §7).

use serde_json::Value;

/// Data type (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A JSON string.
    String,
    /// A JSON boolean.
    Boolean,
    /// A JSON number.
    Decimal,
    /// A JSON number without fraction and exponent.
    Integer,
    /// A JSON string holding an `xsd:dateTime`.
    DateTime,
    /// A JSON string holding base64.
    Binary,
    /// A JSON string holding a URI.
    Reference,
    /// A JSON object with sub-attributes.
    Complex,
}

/// Who may write an attribute (RFC 7643 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// The server alone.
    ReadOnly,
    /// Client and server, at any time.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client; nobody reads it back.
    WriteOnly,
}

/// When an attribute is in a reply (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// In every reply.
    Always,
    /// In none.
    Never,
    /// Unless the client leaves it out.
    Default,
    /// Only if the client names it.
    Request,
}

/// How far a value must be unique (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Not at all.
    None,
    /// Within a tenant.
    Server,
    /// Everywhere.
    Global,
}

/// Where the value of an attribute lives. Not part of the schema a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Inside the resource.
    Inline,
    /// A store may keep the values as rows of their own, because there can be very many.
    Apart,
    /// Computed whenever the resource is rendered; what a client sends is accepted and has no effect.
    Computed,
}

/// How clients send the `value` of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// As it is.
    Never,
    /// Some as the text of a JSON object that holds it; see the switch
    /// [`unwrap_role_values`](crate::profile::Profile::unwrap_role_values).
    JsonText,
}

/// One attribute or sub-attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Canonical name; compared without regard to case.
    pub name: String,
    /// Data type of the value, or of each value.
    pub kind: Kind,
    /// True if the value is an array.
    pub multi_valued: bool,
    /// What the attribute holds, for people.
    pub description: String,
    /// True if a resource must have a value.
    pub required: bool,
    /// Values a client should expect; others are allowed.
    pub canonical_values: Vec<String>,
    /// True if strings are compared with regard to case.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When it is in a reply.
    pub returned: Returned,
    /// How far a value must be unique.
    pub uniqueness: Uniqueness,
    /// For references: the resource types, or `external` or `uri`.
    pub reference_types: Vec<String>,
    /// For complex attributes: what they consist of.
    pub sub_attributes: Vec<Attribute>,
    /// The value of a resource that is written without one. A PUT without the attribute keeps what is stored.
    pub default: Option<Value>,
    /// Where the value lives.
    pub storage: Storage,
    /// How clients send the `value` of an element. Not part of the schema a client sees.
    pub wrapping: Wrapping,
}

impl Attribute {
    /// An attribute with the characteristics of RFC 7643 §2.2: optional, single, case-insensitive, read-write,
    /// returned by default, not unique.
    pub fn new(name: impl Into<String>, kind: Kind, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            multi_valued: false,
            description: description.into(),
            required: false,
            canonical_values: Vec::new(),
            case_exact: matches!(kind, Kind::Reference | Kind::Binary),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
            default: None,
            storage: Storage::Inline,
            wrapping: Wrapping::Never,
        }
    }

    /// A string.
    pub fn string(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::new(name, Kind::String, description)
    }

    /// A complex attribute.
    pub fn complex(name: impl Into<String>, description: impl Into<String>, sub_attributes: Vec<Self>) -> Self {
        Self { sub_attributes, ..Self::new(name, Kind::Complex, description) }
    }

    /// A reference to resources of the given types, or to `external` or `uri`.
    pub fn reference(name: impl Into<String>, description: impl Into<String>, types: &[&str]) -> Self {
        Self {
            reference_types: types.iter().map(|name| (*name).to_owned()).collect(),
            ..Self::new(name, Kind::Reference, description)
        }
    }

    /// Makes it hold many values.
    #[must_use]
    pub fn multi(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    /// Makes it required.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Makes case matter.
    #[must_use]
    pub fn case_exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    /// Sets the suggested values.
    #[must_use]
    pub fn canonical(self, values: &[&str]) -> Self {
        Self { canonical_values: values.iter().map(|value| (*value).to_owned()).collect(), ..self }
    }

    /// Sets who may write it.
    #[must_use]
    pub fn mutability(self, mutability: Mutability) -> Self {
        Self { mutability, ..self }
    }

    /// Lets the server alone write it.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.mutability(Mutability::ReadOnly)
    }

    /// Lets it be set once.
    #[must_use]
    pub fn immutable(self) -> Self {
        self.mutability(Mutability::Immutable)
    }

    /// Sets when it is in a reply.
    #[must_use]
    pub fn returned(self, returned: Returned) -> Self {
        Self { returned, ..self }
    }

    /// Sets how far a value must be unique.
    #[must_use]
    pub fn unique(self, uniqueness: Uniqueness) -> Self {
        Self { uniqueness, ..self }
    }

    /// Sets the value of a resource that is written without one.
    #[must_use]
    pub fn default_value(self, value: impl Into<Value>) -> Self {
        Self { default: Some(value.into()), ..self }
    }

    /// Sets where the value lives.
    #[must_use]
    pub fn storage(self, storage: Storage) -> Self {
        Self { storage, ..self }
    }

    /// Sets how clients send the `value` of an element.
    #[must_use]
    pub fn wrapping(self, wrapping: Wrapping) -> Self {
        Self { wrapping, ..self }
    }

    /// The sub-attribute of that name, in any case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
    }

    /// True if a client's value is kept: not for what the server writes or computes, and not for a secret that
    /// is never returned (RFC 7643 §4.1.1 `password`), which is accepted and dropped.
    pub fn is_kept(&self) -> bool {
        let secret = self.mutability == Mutability::WriteOnly && self.returned == Returned::Never;
        self.mutability != Mutability::ReadOnly && self.storage != Storage::Computed && !secret
    }
}

/// Finds a name in a list of attributes, in any case.
pub(super) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
