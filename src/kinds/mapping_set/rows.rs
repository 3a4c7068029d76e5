//! The rows of a mapping set: from a spec, in comparable order, and as each contract writes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::adobe::{MappingRow, Rest, SourceKind};
use crate::api::{Contract, Mapping, SourceType};
use crate::engine::{Difference, Error, Result};

/// A row as the user wrote it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub source: String,
    pub destination: String,
    /// A path, unless the user or Adobe says otherwise.
    pub source_type: Option<SourceKind>,
}

/// In the order of the spec.
pub(super) fn rows(mappings: &[Mapping], tenant: &str, contract: Contract) -> Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(mappings.len());
    let mut filled = BTreeSet::new();
    for mapping in mappings {
        let row = row(mapping, tenant, contract)?;
        if !filled.insert(row.destination.clone()) {
            return Err(Error::Invalid(format!(
                "`spec.mappings` fills `{}` twice: remove one of the two",
                row.destination
            )));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn row(mapping: &Mapping, tenant: &str, contract: Contract) -> Result<Row> {
    let source_type = mapping.source_type.map(|it| match it {
        SourceType::Attribute => SourceKind::Attribute,
        SourceType::Expression => SourceKind::Expression,
        SourceType::Static => SourceKind::Static,
    });
    let is_path = matches!(source_type, None | Some(SourceKind::Attribute));
    if contract == Contract::Legacy2020 && !is_path {
        return Err(no_attribute(&mapping.destination));
    }
    Ok(Row {
        source: match source_type {
            Some(SourceKind::Static) => mapping.source.clone(),
            _ => with_tenant(&mapping.source, tenant),
        },
        destination: with_tenant(&mapping.destination, tenant),
        source_type,
    })
}

/// Why a row cannot be written under `contract: Legacy2020`.
pub(super) fn no_attribute(destination: &str) -> Error {
    Error::Invalid(format!(
        "the mapping to `{destination}` is no `Attribute`, the only kind of source that `contract: Legacy2020` supports: use \
         `contract: Current`"
    ))
}

/// A path or an expression in which `_tenant` stands for the sandbox's own tenant namespace. In quotes it is mere text.
fn with_tenant(text: &str, tenant: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let word = &rest[..word.unwrap_or(rest.len())];
        if quote.is_some() && next == '\\' {
            // What is escaped ends no text.
            let escaped = rest.chars().take(2).map(char::len_utf8).sum();
            result.push_str(&rest[..escaped]);
            rest = &rest[escaped..];
        } else if word.is_empty() {
            quote = match quote {
                None => Some(next).filter(|it| ['\'', '"'].contains(it)),
                Some(open) => Some(open).filter(|it| *it != next),
            };
            result.push(next);
            rest = &rest[next.len_utf8()..];
        } else if word == "_tenant" && quote.is_none() {
            result.push('_');
            result.push_str(tenant);
            rest = &rest[word.len()..];
        } else {
            result.push_str(word);
            rest = &rest[word.len()..];
        }
    }
    result
}

/// Sorted for comparison: Adobe does not keep the order of rows.
pub(super) fn ordered(mut rows: Vec<MappingRow>) -> Vec<MappingRow> {
    rows.sort_by(|one, other| {
        (&one.destination, &one.source).cmp(&(&other.destination, &other.source))
    });
    rows
}

/// The wanted rows, each with what Adobe holds of it that the user did not write.
pub(super) fn complete(wanted: &[Row], held: &[MappingRow]) -> Vec<MappingRow> {
    let held: BTreeMap<_, _> = held.iter().map(|it| (&it.destination, it)).collect();
    let complete = |row: &Row| {
        let held = held.get(&row.destination).copied();
        let held = held.cloned().unwrap_or_default();
        let source_type = row.source_type.clone();
        MappingRow {
            source: row.source.clone(),
            destination: row.destination.clone(),
            source_type: source_type.unwrap_or(held.source_type),
            rest: held.rest,
        }
    };
    wanted.iter().map(complete).collect()
}

/// What differs, field by field, for people to read.
pub(super) fn differences(wanted: &[MappingRow], held: &[MappingRow]) -> Vec<Difference> {
    let (wanted, held) = (by_field(wanted), by_field(held));
    let fields: BTreeSet<_> = wanted.keys().chain(held.keys()).collect();
    let text =
        |row: Option<&&MappingRow>| row.map(|it| format!("{:?} {}", it.source_type, it.source));
    let differing = fields.into_iter().filter_map(|field| {
        let (old, new) = (text(held.get(field)), text(wanted.get(field)));
        (old != new).then(|| Difference::new(&format!("spec.mappings[{field}]"), old, new))
    });
    differing.collect()
}

fn by_field(rows: &[MappingRow]) -> BTreeMap<&str, &MappingRow> {
    let rows = rows.iter();
    rows.map(|row| (row.destination.as_str(), row)).collect()
}

/// A row as the contract writes it, with all that Adobe holds besides.
pub(super) fn written(row: &MappingRow, contract: Contract) -> Value {
    let mut body = match contract {
        Contract::Current => current_row(row),
        Contract::Legacy2020 => legacy_row(row),
    };
    carry_over(&mut body, &row.rest);
    body
}

/// Adds what Adobe holds and the spec does not know.
pub(super) fn carry_over(body: &mut Value, rest: &Rest) {
    for (name, value) in rest.members() {
        body[name.as_str()] = value.clone();
    }
}

fn current_row(row: &MappingRow) -> Value {
    let source_type = match &row.source_type {
        SourceKind::Attribute => "ATTRIBUTE",
        SourceKind::Expression => "EXPRESSION",
        SourceKind::Static => "STATIC",
        SourceKind::Other(spelling) => spelling,
    };
    json!({
        "sourceType": source_type, "source": row.source, "destination": row.destination,
    })
}

fn legacy_row(row: &MappingRow) -> Value {
    json!({
        "destinationXdmPath": row.destination,
        "sourceAttribute": row.source,
        "identity": false,
        "identityGroup": null,
        "namespaceCode": null,
        "version": 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_named_wherever_a_path_can_stand() {
        let cases = [
            ("_tenant.product.name", "_acme.product.name"),
            ("orders._tenant.id", "orders._acme.id"),
            ("lower(_tenant.a)", "lower(_acme.a)"),
            ("concat(_tenant.a, '_tenant')", "concat(_acme.a, '_tenant')"),
            ("concat(\"it's\", _tenant.a)", "concat(\"it's\", _acme.a)"),
            (r"concat('it\'s ', _tenant.a)", r"concat('it\'s ', _acme.a)"),
            ("my_tenant._tenant2", "my_tenant._tenant2"),
            ("größe._tenant", "größe._acme"),
        ];
        for (written, sent) in cases {
            assert_eq!(with_tenant(written, "acme"), sent);
        }
    }

    #[test]
    fn a_static_value_is_sent_as_it_is() {
        let mapping = Mapping {
            source: "_tenant".into(),
            destination: "_tenant.a".into(),
            source_type: Some(SourceType::Static),
        };
        let rows = rows(&[mapping], "acme", Contract::Current).unwrap();
        assert_eq!(rows[0].source, "_tenant");
        assert_eq!(rows[0].destination, "_acme.a");
    }

    #[test]
    fn a_kind_of_source_that_nobody_wrote_is_a_path_unless_adobe_says_otherwise() {
        let wanted = Row {
            source: "lower(a)".into(),
            destination: "a".into(),
            source_type: None,
        };
        let wanted = [wanted];
        let new = complete(&wanted, &[]);
        assert_eq!(new[0].source_type, SourceKind::Attribute);
        let held = [MappingRow {
            source_type: SourceKind::Expression,
            ..new[0].clone()
        }];
        assert_eq!(complete(&wanted, &held), held);
    }
}
