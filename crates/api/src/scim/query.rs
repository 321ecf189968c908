//! The query part of a SCIM URL.
//!
//! It is read here and not by axum, because a client deserves to be told *which* parameter cannot be read instead
//! of getting replacement characters looked up in the directory. Unknown parameters are ignored (RFC 7644 §3.4.2),
//! and so is Entra's feature flag wherever the tenant URL put it.

use rollcall_scim::Error;
use rollcall_scim::filter::Filter;
use rollcall_scim::list::Paging;
use rollcall_scim::profile::Profile;
use rollcall_scim::projection::Projection;
use rollcall_scim::schema::ResourceType;
use rollcall_scim::search::SearchRequest;
use rollcall_scim::sort::Sort;

use crate::limits::{DEFAULT_COUNT, MAX_COUNT};
use crate::query_text::decode;

/// Entra's switch for its newer PATCH dialect. Administrators append it to the tenant URL, with a question mark,
/// and clients glue their own parameters to it with a second one.
const ENTRA_FLAG: &str = "aadOptscim062020";

/// The parameters that Rollcall knows, decoded. A parameter that is absent or empty is `None`, except for an empty
/// `cursor`, which asks for the first page (RFC 9865 §2).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// `filter`.
    pub filter: Option<String>,
    /// `sortBy`.
    pub sort_by: Option<String>,
    /// `sortOrder`.
    pub sort_order: Option<String>,
    /// `startIndex`.
    pub start_index: Option<String>,
    /// `count`.
    pub count: Option<String>,
    /// `cursor`; an empty one is there, too.
    pub cursor: Option<String>,
    /// `attributes`; several are joined.
    pub attributes: Option<String>,
    /// `excludedAttributes`; several are joined.
    pub excluded: Option<String>,
}

impl Query {
    /// Reads the raw query of a URL, without its question mark.
    ///
    /// # Errors
    /// 400 that names the parameter which is given twice, is not UTF-8 after decoding, or holds a null character.
    pub fn parse(raw: Option<&str>) -> Result<Self, Error> {
        let mut query = Self::default();
        let raw = without_flag(raw.unwrap_or_default());
        for pair in raw.split('&') {
            let Some((parameter, value)) = known(pair) else { continue };
            let value = decode(value).map_err(|problem| parameter.error(problem))?;
            if parameter == Parameter::Cursor || !value.trim().is_empty() {
                query.set(parameter, value)?;
            }
        }
        Ok(query)
    }

    /// True if the client chooses attributes; a PATCH is then answered with 200 whatever the profile says
    /// (RFC 7644 §3.5.2).
    pub const fn chooses_attributes(&self) -> bool {
        self.attributes.is_some() || self.excluded.is_some()
    }

    /// Which attributes the reply holds.
    ///
    /// # Errors
    /// 400 when both `attributes` and `excludedAttributes` are given.
    pub fn projection<'a>(&self, rt: &'a ResourceType) -> Result<Projection<'a>, Error> {
        Projection::parse(rt, self.attributes.as_deref(), self.excluded.as_deref())
    }

    /// The filter, if there is one, for one type of a query that spans `others` besides.
    ///
    /// # Errors
    /// 400 `invalidFilter`.
    pub fn parse_filter(
        &self,
        rt: &ResourceType,
        others: &[&ResourceType],
        profile: &Profile,
    ) -> Result<Option<Filter>, Error> {
        self.filter.as_deref().map(|text| Filter::parse_across(text, rt, others, profile)).transpose()
    }

    /// The order, if one is asked for, for one type of a query that spans `others` besides.
    ///
    /// # Errors
    /// 400 when the attribute cannot be sorted by, or the order is no order.
    pub fn sort(&self, rt: &ResourceType, others: &[&ResourceType]) -> Result<Option<Sort>, Error> {
        Sort::parse(rt, others, self.sort_by.as_deref(), self.sort_order.as_deref())
    }

    /// Which part of a list is wanted.
    ///
    /// # Errors
    /// 400 when `startIndex` or `count` is no integer, or paging by index and by cursor are mixed.
    pub fn paging(&self) -> Result<Paging, Error> {
        let Self { cursor, start_index, count, .. } = self;
        Paging::parse(cursor.as_deref(), start_index.as_deref(), count.as_deref(), DEFAULT_COUNT, MAX_COUNT)
    }

    fn set(&mut self, parameter: Parameter, value: String) -> Result<(), Error> {
        let (slot, is_list) = match parameter {
            Parameter::Filter => (&mut self.filter, false),
            Parameter::SortBy => (&mut self.sort_by, false),
            Parameter::SortOrder => (&mut self.sort_order, false),
            Parameter::StartIndex => (&mut self.start_index, false),
            Parameter::Count => (&mut self.count, false),
            Parameter::Cursor => (&mut self.cursor, false),
            Parameter::Attributes => (&mut self.attributes, true),
            Parameter::ExcludedAttributes => (&mut self.excluded, true),
        };
        match slot {
            None => *slot = Some(value),
            Some(list) if is_list => {
                list.push(',');
                list.push_str(&value);
            }
            // Taking one of two filters would answer a question that nobody asked.
            Some(_) => return Err(parameter.error("is given twice")),
        }
        Ok(())
    }
}

/// The body of `.search` says the same as the query part of a URL.
impl From<SearchRequest> for Query {
    fn from(search: SearchRequest) -> Self {
        let list = |names: Vec<String>| (!names.is_empty()).then(|| names.join(","));
        Self {
            filter: search.filter,
            sort_by: search.sort_by,
            sort_order: search.sort_order,
            start_index: search.start_index,
            count: search.count,
            cursor: search.cursor,
            attributes: list(search.attributes),
            excluded: list(search.excluded_attributes),
        }
    }
}

/// A parameter with a meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parameter {
    Filter,
    SortBy,
    SortOrder,
    StartIndex,
    Count,
    Cursor,
    Attributes,
    ExcludedAttributes,
}

impl Parameter {
    const ALL: [Self; 8] = [
        Self::Filter,
        Self::SortBy,
        Self::SortOrder,
        Self::StartIndex,
        Self::Count,
        Self::Cursor,
        Self::Attributes,
        Self::ExcludedAttributes,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::SortBy => "sortBy",
            Self::SortOrder => "sortOrder",
            Self::StartIndex => "startIndex",
            Self::Count => "count",
            Self::Cursor => "cursor",
            Self::Attributes => "attributes",
            Self::ExcludedAttributes => "excludedAttributes",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.name().eq_ignore_ascii_case(name))
    }

    fn error(self, problem: &str) -> Error {
        let detail = format!("the query parameter \"{}\" {problem}", self.name());
        match self {
            Self::Filter => Error::invalid_filter(detail),
            Self::Cursor => Error::invalid_cursor(detail),
            _ => Error::invalid_value(detail),
        }
    }
}

/// The parameter in a piece of the query, if we know it, and its value. One that we do not know may have swallowed one
/// that we do, when both came with a question mark; to ignore a filter would be to list everybody.
fn known(pair: &str) -> Option<(Parameter, &str)> {
    let mut rest = Some(pair);
    while let Some(pair) = rest {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A name that cannot be decoded is none that we know.
        if let Some(parameter) = decode(name).ok().and_then(|name| Parameter::named(&name)) {
            return Some((parameter, value));
        }
        rest = pair.split_once('?').map(|(_, rest)| rest);
    }
    None
}

/// The query without Entra's flag where it ends the value of another parameter.
fn without_flag(raw: &str) -> String {
    raw.replace(&format!("?{ENTRA_FLAG}"), "&")
}
