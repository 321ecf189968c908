//! What each part of a filter means to the columns.

use super::columns::{AnyValue, Column, Text, column};
use super::{Arg, CUT_BYTES, Part, Piece, Scope, Table, clip};
use crate::members::{named_id, names_somebody};
use rollcall_provisioning::ids::SourceId;
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::fold::fold;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};
use uuid::Uuid;

/// The condition of a part of a filter.
pub(super) fn part(scope: Scope, filter: &Filter) -> Part {
    match filter {
        Filter::And(parts) => Part::all(parts.iter().map(|filter| part(scope, filter)).collect()),
        Filter::Or(parts) => Part::any(parts.iter().map(|filter| part(scope, filter)).collect()),
        Filter::Not(filter) => part(scope, filter).not(),
        Filter::Compare { path, op, value } => {
            column(scope, path).map_or(Part::UNKNOWN, |column| compare(&column, *op, value))
        }
        Filter::Present(path) => column(scope, path).map_or(Part::UNKNOWN, |column| present(&column)),
        Filter::ValuePath { filter, .. } => element(scope, filter),
    }
}

/// What follows for the whole attribute when one of its elements satisfies a filter.
fn element(scope: Scope, filter: &Filter) -> Part {
    let elements = |filters: &[Filter]| filters.iter().map(|filter| element(scope, filter)).collect();
    match filter {
        Filter::Compare { op: CompareOp::Eq, .. } => part(scope, filter),
        Filter::Or(filters) => Part::any(elements(filters)),
        // Each part could be satisfied by another element.
        Filter::And(filters) => Part { exact: false, ..Part::all(elements(filters)) },
        _ => Part::UNKNOWN,
    }
}

fn compare(column: &Column, op: CompareOp, value: &Value) -> Part {
    match (column, value) {
        (column, value) if op == CompareOp::Ne && column.is_single() => compare(column, CompareOp::Eq, value).not(),
        (Column::Text(column), Value::String(literal)) => text(column, op, literal),
        (Column::ExternalId { table, viewer }, Value::String(literal)) if op == CompareOp::Eq => {
            external_id(*table, *viewer, literal)
        }
        (Column::ExternalId { table, viewer }, Value::String(literal)) => {
            within_external_id(*table, *viewer, op, literal)
        }
        (Column::Id(name), Value::String(literal)) if op == CompareOp::Eq => id(name, literal),
        (Column::Constant(text), Value::String(literal)) if op == CompareOp::Eq => {
            if text == literal {
                Part::ALL
            } else {
                Part::none()
            }
        }
        (Column::Any(attribute), Value::String(literal)) if op == CompareOp::Eq => any_value(*attribute, literal),
        // Every write fills the default in, so the column and the attribute are one and the same.
        (Column::Active, Value::Bool(true)) if op == CompareOp::Eq => Part::exact(["u.active".into()]),
        (Column::Active, Value::Bool(false)) if op == CompareOp::Eq => Part::exact(["NOT u.active".into()]),
        (Column::Moment(name), Value::String(literal)) => moment(name, op, literal),
        _ => Part::UNKNOWN,
    }
}

fn text(column: &Text, op: CompareOp, literal: &str) -> Part {
    let name = column.name;
    let key = if column.fold { fold(literal) } else { literal.to_owned() };
    let decided = !column.cut || key.len() < CUT_BYTES;
    match op {
        CompareOp::Eq => {
            let key = if column.cut { clip(&key).to_owned() } else { key };
            let pieces = [name.into(), " IS NOT NULL AND ".into(), name.into(), " = ".into(), Arg::Text(key).into()];
            let part = if decided { Part::exact(pieces) } else { Part::wider(pieces) };
            Part { single: column.unique, ..part.indexed() }
        }
        CompareOp::Sw if decided => Part::exact([
            name.into(),
            " IS NOT NULL AND starts_with(".into(),
            name.into(),
            ", ".into(),
            Arg::Text(key).into(),
            ")".into(),
        ]),
        CompareOp::Co => {
            // What was cut off might contain it.
            let whole = if column.cut { i32::try_from(CUT_BYTES) } else { Ok(i32::MAX) };
            let pieces = [
                name.into(),
                " IS NOT NULL AND (strpos(".into(),
                name.into(),
                ", ".into(),
                Arg::Text(key).into(),
                ") > 0 OR octet_length(".into(),
                name.into(),
                ") >= ".into(),
                Arg::Length(whole.unwrap_or(0)).into(),
                ")".into(),
            ];
            if column.cut { Part::wider(pieces) } else { Part::exact(pieces) }
        }
        _ => Part::UNKNOWN,
    }
}

/// A source calls the resource so. Whoever created it has a column of its own, all others share one.
fn external_id(table: Table, viewer: SourceId, literal: &str) -> Part {
    let (of_creator, others) = match table {
        Table::Users => {
            ("((u.source_id = ", [") OR (u.source_id <> ", " AND u.external_ids IS NOT NULL AND u.external_ids @> "])
        }
        Table::Groups => {
            ("((g.source_id = ", [") OR (g.source_id <> ", " AND g.external_ids IS NOT NULL AND g.external_ids @> "])
        }
    };
    let name = match table {
        Table::Users => " AND u.external_id IS NOT NULL AND u.external_id = ",
        Table::Groups => " AND g.external_id IS NOT NULL AND g.external_id = ",
    };
    let [or, holds] = others;
    let named = Value::Object([(viewer.to_string(), literal.into())].into_iter().collect());
    let pieces = [
        of_creator.into(),
        Arg::Id(viewer.0).into(),
        name.into(),
        Arg::Text(clip(literal).to_owned()).into(),
        or.into(),
        Arg::Id(viewer.0).into(),
        holds.into(),
        Arg::Json(named).into(),
        "))".into(),
    ];
    let part = if literal.len() < CUT_BYTES { Part::exact(pieces) } else { Part::wider(pieces) };
    part.indexed()
}

/// What a source calls the resource begins with the literal, or contains it.
fn within_external_id(table: Table, viewer: SourceId, op: CompareOp, literal: &str) -> Part {
    let [created, otherwise] = match table {
        Table::Users => ["(CASE WHEN u.source_id = ", " THEN u.external_id ELSE u.external_ids ->> "],
        Table::Groups => ["(CASE WHEN g.source_id = ", " THEN g.external_id ELSE g.external_ids ->> "],
    };
    let name = || {
        let [creator, viewer] = [Arg::Id(viewer.0), Arg::Text(viewer.to_string())].map(Piece::from);
        [created.into(), creator, otherwise.into(), viewer, " END)".into()]
    };
    let text = || Piece::from(Arg::Text(literal.to_owned()));
    let mut pieces: Vec<Piece> = vec!["COALESCE(".into()];
    match op {
        CompareOp::Sw if literal.len() < CUT_BYTES => {
            pieces.push("starts_with(".into());
            pieces.extend(name());
            pieces.extend([", ".into(), text(), "), false)".into()]);
            Part { pieces: Some(pieces), ..Part::ALL }
        }
        // What was cut off might contain it.
        CompareOp::Co => {
            pieces.push("strpos(".into());
            pieces.extend(name());
            pieces.extend([", ".into(), text(), ") > 0 OR octet_length(".into()]);
            pieces.extend(name());
            let cut = Arg::Length(i32::try_from(CUT_BYTES).unwrap_or(0));
            pieces.extend([") >= ".into(), cut.into(), ", false)".into()]);
            Part { pieces: Some(pieces), ..Part::UNKNOWN }
        }
        _ => Part::UNKNOWN,
    }
}

/// A source calls the resource something.
fn has_external_id(table: Table, viewer: SourceId) -> Part {
    let [created, or, of_others, close] = match table {
        Table::Users => [
            "((u.source_id = ",
            " AND u.external_id IS NOT NULL) OR (u.source_id <> ",
            " AND u.external_ids IS NOT NULL AND (u.external_ids ->> ",
            ") IS NOT NULL))",
        ],
        Table::Groups => [
            "((g.source_id = ",
            " AND g.external_id IS NOT NULL) OR (g.source_id <> ",
            " AND g.external_ids IS NOT NULL AND (g.external_ids ->> ",
            ") IS NOT NULL))",
        ],
    };
    Part::exact([
        created.into(),
        Arg::Id(viewer.0).into(),
        or.into(),
        Arg::Id(viewer.0).into(),
        of_others.into(),
        Arg::Text(viewer.to_string()).into(),
        close.into(),
    ])
}

/// Ids are compared with regard to case and are written in one way only: another spelling names nobody.
fn id(name: &'static str, literal: &str) -> Part {
    canonical_id(literal).map_or_else(Part::none, |id| Part {
        single: true,
        ..Part::exact([name.into(), " = ".into(), Arg::Id(id).into()]).indexed()
    })
}

/// Some value of a multi-valued attribute equals the literal.
fn any_value(attribute: AnyValue, literal: &str) -> Part {
    match attribute {
        AnyValue::Email => {
            let key = fold(literal);
            let pieces = ["u.email_keys @> ARRAY[".into(), Arg::Text(clip(&key).to_owned()).into(), "]::text[]".into()];
            let part = if key.len() < CUT_BYTES { Part::exact(pieces) } else { Part::wider(pieces) };
            part.indexed()
        }
        // Also whoever is in a group that is in it, as `groups` shows them.
        AnyValue::GroupOfUser => canonical_id(literal).map_or_else(Part::none, |id| {
            Part::exact([
                "u.id IN (WITH RECURSIVE inside (id) AS (SELECT g.id FROM groups g WHERE g.tenant_id = $1 \
                 AND g.deleted_at IS NULL AND g.id = "
                    .into(),
                Arg::Id(id).into(),
                concat!(
                    " UNION SELECT g.id FROM inside JOIN memberships m ON m.tenant_id = $1 AND m.group_id = inside.id ",
                    "JOIN groups g ON g.tenant_id = $1 AND g.deleted_at IS NULL AND g.id = ",
                    named_id!("m.member_id"),
                    ") SELECT ",
                    named_id!("m.member_id"),
                    " FROM inside JOIN memberships m ON m.tenant_id = $1 AND m.group_id = inside.id WHERE ",
                    names_somebody!("m.member_id"),
                    ")"
                )
                .into(),
            ])
            .indexed()
        }),
        AnyValue::MemberOfGroup => {
            let member = Part::exact([
                "g.id IN (SELECT m.group_id FROM memberships m WHERE m.tenant_id = $1 AND m.member_id = ".into(),
                Arg::Text(literal.to_owned()).into(),
                ")".into(),
            ])
            .indexed();
            let Some(id) = canonical_id(literal) else {
                return member;
            };
            // A member who was deleted is not seen any more (see `members`).
            let alive = Part::exact([
                "NOT EXISTS (SELECT 1 FROM users d WHERE d.tenant_id = $1 AND d.deleted_at IS NOT NULL \
                 AND d.id = "
                    .into(),
                Arg::Id(id).into(),
                ") AND NOT EXISTS (SELECT 1 FROM groups d WHERE d.tenant_id = $1 \
                 AND d.deleted_at IS NOT NULL AND d.id = "
                    .into(),
                Arg::Id(id).into(),
                ")".into(),
            ]);
            Part::all(vec![member, alive])
        }
    }
}

/// Columns keep microseconds and literals may have more, so a comparison only narrows down.
fn moment(name: &'static str, op: CompareOp, literal: &str) -> Part {
    let parsed = OffsetDateTime::parse(literal, &Rfc3339).ok();
    let Some(moment) = parsed.and_then(|moment| moment.checked_to_offset(UtcOffset::UTC)) else {
        return Part::UNKNOWN;
    };
    let bound = match op {
        CompareOp::Gt | CompareOp::Ge => moment.checked_sub(Duration::MILLISECOND).map(|from| (" >= ", from)),
        CompareOp::Lt | CompareOp::Le => moment.checked_add(Duration::MILLISECOND).map(|to| (" <= ", to)),
        _ => None,
    };
    bound.map_or(Part::UNKNOWN, |(comparison, moment)| {
        Part::wider([name.into(), comparison.into(), Arg::Moment(moment).into()])
    })
}

fn present(column: &Column) -> Part {
    match column {
        Column::Text(column) => Part::exact([column.name.into(), " IS NOT NULL".into()]),
        Column::ExternalId { table, viewer } => has_external_id(*table, *viewer),
        Column::Id(_) | Column::Active | Column::Moment(_) | Column::Constant(_) => Part::ALL,
        Column::Any(_) => Part::UNKNOWN,
    }
}

/// The id that a text names, if it is spelt as ids are.
fn canonical_id(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::super::{Condition, KEY_BYTES, Reach};
    use super::*;
    use rollcall_scim::profile::Profile;
    use rollcall_scim::schema::builtin;

    fn condition(table: Table, text: &str) -> Condition {
        let rt = match table {
            Table::Users => builtin::user_type(),
            Table::Groups => builtin::group_type(),
        };
        let filter = Filter::parse(text, &rt, &Profile::generic()).expect(text);
        Condition::of(Some(&filter), Scope { table, viewer: None })
    }

    /// What real clients send is decided by the database, at any size.
    #[test]
    fn what_clients_send_is_exact() {
        const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        const ID: &str = "01980000-0001-7000-8000-00000000abcd";
        let users = [
            r#"userName eq "ada@acme.test""#.to_owned(),
            "externalId eq jyoung".to_owned(),
            r#"externalId eq "x" and userName eq "y""#.to_owned(),
            r#"emails.value eq "x""#.to_owned(),
            r#"emails[value eq "x" or value eq "y"]"#.to_owned(),
            r#"displayName eq "x" or not (active eq false)"#.to_owned(),
            format!(r#"{ENTERPRISE}:employeeNumber eq "7""#),
            format!(r#"id eq "{ID}" and manager eq "{ID}""#),
            format!(r#"groups.value eq "{ID}""#),
            r#"userName co "a" and not (displayName sw "b") and externalId pr"#.to_owned(),
        ];
        for text in users {
            let condition = condition(Table::Users, &text);
            assert!(condition.exact, "{text}: {}", condition.sql);
        }
        // Every client is a source, and looks for its own externalId.
        for text in [r#"externalId eq "x""#, r#"externalId sw "x""#, "externalId pr"] {
            let filter = Filter::parse(text, &builtin::user_type(), &Profile::generic()).expect(text);
            let viewer = Some(SourceId(Uuid::nil()));
            assert!(Condition::of(Some(&filter), Scope { table: Table::Users, viewer }).exact, "{text}");
        }
        let groups = [r#"displayName eq "x""#.to_owned(), format!(r#"id eq "{ID}" and members eq "{ID}""#)];
        for text in groups {
            let condition = condition(Table::Groups, &text);
            assert!(condition.exact && condition.single, "{text}: {}", condition.sql);
        }
    }

    #[test]
    fn what_is_not_exact_is_narrowed_down_by_an_index() {
        let cases = [
            (r#"emails[type eq "work"].value eq "x""#, "(u.email_keys @> ARRAY[$6]::text[])"),
            (r#"emails[type eq "work" and value eq "x"]"#, "(u.email_keys @> ARRAY[$6]::text[])"),
            (r#"title eq "x" and userName eq "y""#, "(u.user_name_key IS NOT NULL AND u.user_name_key = $6)"),
            (r#"title eq "x" or userName eq "y""#, "true"),
            (r#"not (title eq "x" and userName eq "y")"#, "true"),
            (r#"not (emails[type eq "work" and value eq "x"])"#, "true"),
        ];
        for (text, sql) in cases {
            let condition = condition(Table::Users, text);
            assert_eq!((condition.sql.as_str(), condition.exact), (sql, false), "{text}");
        }
    }

    #[test]
    fn only_one_resource_can_have_a_unique_key() {
        let cases = [
            (r#"userName eq "a""#, true),
            (r#"userName eq "a" and title eq "b""#, true),
            (r#"userName eq "a" or userName eq "b""#, false),
            (r#"not (userName eq "a")"#, false),
            (r#"userName sw "a""#, false),
            (r#"externalId eq "a""#, false),
        ];
        for (text, single) in cases {
            assert_eq!(condition(Table::Users, text).single, single, "{text}");
        }
    }

    #[test]
    fn it_is_known_whether_an_index_answers() {
        const ID: &str = "01980000-0001-7000-8000-00000000abcd";
        let cases = [
            (r#"userName eq "a""#.to_owned(), Reach::Index),
            (r#"title co "x" and userName eq "a""#.to_owned(), Reach::Index),
            (r#"userName eq "a" or emails.value eq "b""#.to_owned(), Reach::Index),
            (r#"userName eq "a" or title eq "b""#.to_owned(), Reach::All),
            (r#"not (userName eq "a")"#.to_owned(), Reach::Scan),
            (r#"userName sw "a""#.to_owned(), Reach::Scan),
            ("active eq false".to_owned(), Reach::Scan),
            ("externalId pr".to_owned(), Reach::Scan),
            ("externalId eq 7".to_owned(), Reach::Index),
            (format!(r#"groups.value eq "{ID}""#), Reach::Index),
            (format!(r#"id eq "{ID}" and active eq true"#), Reach::Index),
            (r#"id eq "nobody's""#.to_owned(), Reach::Index),
            ("meta.resourceType pr".to_owned(), Reach::All),
            ("title pr".to_owned(), Reach::All),
            (r#"meta.lastModified gt "2026-01-01T00:00:00Z""#.to_owned(), Reach::Scan),
        ];
        for (text, reach) in cases {
            assert_eq!(condition(Table::Users, &text).reach, reach, "{text}");
        }
    }

    #[test]
    fn a_cut_text_decides_nothing_about_long_values() {
        let long = "x".repeat(KEY_BYTES);
        assert!(!condition(Table::Users, &format!("displayName eq \"{long}\"")).exact);
        assert!(condition(Table::Users, &format!("userName eq \"{long}\"")).exact, "is bounded, hence whole");
        assert_eq!(clip(&format!("{}é", "x".repeat(KEY_BYTES - 1))).len(), KEY_BYTES - 1, "whole characters only");
        assert!(clip(&"張".repeat(KEY_BYTES)).len() >= CUT_BYTES);
    }

    #[test]
    fn the_resource_type_is_known_without_looking() {
        let cases = [
            (Table::Users, r#"meta.resourceType eq "User""#, "true"),
            (Table::Users, r#"meta.resourceType eq "user""#, "false"),
            (
                Table::Users,
                r#"meta.resourceType ne "Group" and userName pr"#,
                "(NOT (false) AND u.user_name_key IS NOT NULL)",
            ),
            (Table::Groups, r#"meta.resourceType eq "User""#, "false"),
            (Table::Groups, "meta.resourceType pr", "true"),
        ];
        for (table, text, sql) in cases {
            let condition = condition(table, text);
            assert_eq!((condition.sql.as_str(), condition.exact), (sql, true), "{text}");
        }
    }

    #[test]
    fn everybody_is_active_or_not() {
        let cases = [
            ("active eq true", "u.active"),
            ("active eq false", "NOT u.active"),
            ("active ne true", "NOT (u.active)"),
            ("active ne false", "NOT (NOT u.active)"),
            ("active pr", "true"),
        ];
        for (text, sql) in cases {
            let condition = condition(Table::Users, text);
            assert_eq!((condition.sql.as_str(), condition.exact), (sql, true), "{text}");
        }
    }

    #[test]
    fn what_another_type_defines_is_settled() {
        let (user, group) = (builtin::user_type(), builtin::group_type());
        let cases = [
            (r#"userName eq "a""#, "false"),
            (r#"userName ne "a""#, "true"),
            (r#"userName eq "a" and displayName pr"#, "(false AND g.display_name_key IS NOT NULL)"),
        ];
        for (text, sql) in cases {
            let filter = Filter::parse_across(text, &group, &[&user], &Profile::generic()).expect(text);
            let condition = Condition::of(Some(&filter), Scope { table: Table::Groups, viewer: None });
            assert_eq!((condition.sql.as_str(), condition.exact), (sql, true), "{text}");
        }
    }

    #[test]
    fn what_is_no_id_is_nobodys() {
        assert_eq!(condition(Table::Users, r#"id eq "7""#).sql, "false");
        assert_eq!(condition(Table::Users, r#"id ne "7""#).sql, "NOT (false)");
    }
}
