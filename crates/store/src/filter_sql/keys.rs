//! What lists are ordered by, as an expression over one row. It must give the order that `rollcall_scim::sort` fixes.

use super::columns::EXTERNAL_ID;
use super::{Arg, Piece, Scope, Table};
use rollcall_provisioning::ids::SourceId;
use rollcall_scim::path::AttributePath;
use rollcall_scim::sort::{Comparison, SortBy};

/// The type of a key. Keys of several tables can only be put in one order if they have the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum KeyType {
    Text,
    Json,
    Moment,
}

impl KeyType {
    pub(super) const fn of(by: &SortBy) -> Self {
        match by.comparison {
            Comparison::Folded | Comparison::Exact => Self::Text,
            Comparison::Plain => Self::Json,
            Comparison::Moment => Self::Moment,
        }
    }

    /// The key of a resource without a value.
    pub(super) const fn nothing(self) -> &'static str {
        match self {
            Self::Text => "NULL::text",
            Self::Json => "NULL::jsonb",
            Self::Moment => "NULL::timestamptz",
        }
    }
}

/// The key of a row.
pub(super) fn key(Scope { table, viewer }: Scope, by: &SortBy) -> Vec<Piece> {
    if let (Some(viewer), true) = (viewer, by.path == AttributePath::core(EXTERNAL_ID)) {
        return external_id(table, viewer);
    }
    match known(table, &by.path) {
        Some(expression) => vec![expression.into()],
        None => typed(by, value(table, by)),
    }
}

/// Keys that need no look into the resource: facts that the server keeps, and columns that hold a whole folded value.
fn known(table: Table, path: &AttributePath) -> Option<&'static str> {
    let path = (path.schema.as_deref(), path.attribute.as_str(), path.sub_attribute.as_deref());
    Some(match (table, path) {
        (Table::Users, (None, "id", None)) => "u.id::text",
        (Table::Groups, (None, "id", None)) => "g.id::text",
        (Table::Users, (None, "userName", None)) => "u.user_name_key",
        (Table::Groups, (None, "displayName", None)) => "g.display_name_key",
        (Table::Users, (None, "meta", Some("created"))) => "u.created_at",
        (Table::Groups, (None, "meta", Some("created"))) => "g.created_at",
        (Table::Users, (None, "meta", Some("lastModified"))) => "u.modified_at",
        (Table::Groups, (None, "meta", Some("lastModified"))) => "g.modified_at",
        (Table::Users, (None, "meta", Some("resourceType"))) => "'User'::text",
        (Table::Groups, (None, "meta", Some("resourceType"))) => "'Group'::text",
        (Table::Users, (None, "meta", Some("location"))) => "'/Users/' || u.id",
        (Table::Groups, (None, "meta", Some("location"))) => "'/Groups/' || g.id",
        (Table::Users, (None, "meta", Some("version"))) => "'W/\"' || u.version || '\"'",
        (Table::Groups, (None, "meta", Some("version"))) => "'W/\"' || g.version || '\"'",
        // The core schema comes first, and it is the same for all.
        (Table::Users, (None, "schemas", None)) => "'urn:ietf:params:scim:schemas:core:2.0:user'::text",
        (Table::Groups, (None, "schemas", None)) => "'urn:ietf:params:scim:schemas:core:2.0:group'::text",
        _ => return None,
    })
}

/// What a source calls the resource.
fn external_id(table: Table, viewer: SourceId) -> Vec<Piece> {
    let [created, otherwise] = match table {
        Table::Users => ["CASE WHEN u.source_id = ", " THEN u.attributes ->> 'externalId' ELSE u.external_ids ->> "],
        Table::Groups => ["CASE WHEN g.source_id = ", " THEN g.attributes ->> 'externalId' ELSE g.external_ids ->> "],
    };
    vec![
        created.into(),
        Arg::Id(viewer.0).into(),
        otherwise.into(),
        Arg::Text(viewer.to_string()).into(),
        " END".into(),
    ]
}

/// The value that counts, as JSON.
fn value(table: Table, by: &SortBy) -> Vec<Piece> {
    let AttributePath { schema, attribute, sub_attribute } = &by.path;
    let attributes = match table {
        Table::Users => "(u.attributes #> ",
        Table::Groups => "(g.attributes #> ",
    };
    let home = schema.iter().chain([attribute]);
    let at = |path: Vec<String>| vec![attributes.into(), Arg::Path(path).into(), "::text[])".into()];
    if !by.multi_valued {
        return at(home.chain(sub_attribute).cloned().collect());
    }
    let values = at(home.cloned().collect());
    let mut pieces = vec![Piece::Sql("(COALESCE(jsonb_path_query_first(")];
    pieces.extend(values.iter().cloned());
    pieces.push(", '$[*] ? (@.primary == true)'), ".into());
    pieces.extend(values);
    pieces.push(" -> 0)".into());
    if let Some(name) = sub_attribute {
        pieces.extend([" -> ".into(), Arg::Text(name.clone()).into()]);
    }
    pieces.push(")".into());
    pieces
}

/// JSON as the key that is compared.
fn typed(by: &SortBy, json: Vec<Piece>) -> Vec<Piece> {
    let (open, close) = match by.comparison {
        // Step by step what `rollcall_scim::fold` does. Only ICU lowers every letter as Unicode says, whatever the
        // locale of the database.
        Comparison::Folded => {
            let (wide, plain) = rollcall_scim::fold::widths();
            let text = || ["(".into()].into_iter().chain(json.iter().cloned()).chain([" #>> '{}')".into()]);
            let mut pieces = vec![Piece::Sql("normalize(replace(lower((CASE WHEN ")];
            pieces.extend(text());
            // Few texts have any, and looking each letter up takes long.
            pieces.push(" COLLATE \"C\" ~ '[\u{3000}-\u{ffff}]' THEN translate(".into());
            pieces.extend(text());
            pieces.extend([", ".into(), Arg::Text(wide.to_owned()).into(), ", ".into()]);
            pieces.extend([Arg::Text(plain.to_owned()).into(), ") ELSE ".into()]);
            pieces.extend(text());
            pieces.push(" END) COLLATE \"und-x-icu\"), '\u{3c2}', '\u{3c3}'), NFC)".into());
            return pieces;
        }
        Comparison::Exact => ("(", " #>> '{}')"),
        // Scalars of JSON compare by size.
        Comparison::Plain => ("NULLIF(", ", 'null'::jsonb)"),
        Comparison::Moment => return moment(json),
    };
    let mut pieces = vec![Piece::Sql(open)];
    pieces.extend(json);
    pieces.push(close.into());
    pieces
}

/// The instant of a dateTime that is kept as the client wrote it (RFC 7643 §2.3.5); one without a zone is taken as UTC.
///
/// It is put together from its parts instead of being cast. A cast fails, and the list with it, where Postgres knows
/// less than `xsd:dateTime` (the year 0, offsets of 16 hours), and for a text that is left of an attribute of another
/// type; sums of intervals never fail.
fn moment(json: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = vec![Piece::Sql(
        "(SELECT (timestamp '2000-01-01' + make_interval(months => 12 * m[1]::int + m[2]::int - 24001) \
         + make_interval(days => m[3]::int - 1, hours => m[4]::int, mins => m[5]::int) \
         + make_interval(secs => least(m[6]::float8, 59.999999)) - COALESCE(m[7]::interval, interval '0')) \
         AT TIME ZONE 'UTC' FROM regexp_match(",
    )];
    pieces.extend(json);
    pieces.push(
        " #>> '{}', '^([0-9]{4})-([0-9]{2})-([0-9]{2}).([0-9]{2}):([0-9]{2}):([0-9]{2}(?:[.][0-9]{1,6})?)[0-9]*\
         (?:[Zz]|([+-][0-9]{2}:[0-5][0-9]))?$') AS m)"
            .into(),
    );
    pieces
}
