//! The rows of a mapping set: from a spec, in comparable order, and as each contract writes them.

use serde_json::{Value, json};

use crate::adobe::{MappingRow, SourceKind};
use crate::api::{Contract, Mapping, SourceType};
use crate::engine::{Error, Result};

pub(super) fn rows(
    mappings: &[Mapping],
    tenant: &str,
    contract: Contract,
) -> Result<Vec<MappingRow>> {
    let mut rows = Vec::with_capacity(mappings.len());
    for mapping in mappings {
        let source_type = match mapping.source_type.unwrap_or_default() {
            SourceType::Attribute => SourceKind::Attribute,
            SourceType::Expression => SourceKind::Expression,
            SourceType::Static => SourceKind::Static,
        };
        if contract == Contract::Legacy2020 && source_type != SourceKind::Attribute {
            return Err(Error::Invalid(format!(
                "the mapping to `{}` is no `Attribute`, the only kind of source that \
                 `contract: Legacy2020` supports: use `contract: Current`",
                mapping.destination
            )));
        }
        rows.push(MappingRow {
            source: match source_type {
                SourceKind::Static => mapping.source.clone(),
                _ => with_tenant(&mapping.source, tenant),
            },
            destination: with_tenant(&mapping.destination, tenant),
            source_type,
        });
    }
    // Sent in the order of the spec; sorted only to find duplicate destinations.
    match ordered(rows.clone())
        .windows(2)
        .find(|pair| pair[0].destination == pair[1].destination)
    {
        Some(pair) => Err(Error::Invalid(format!(
            "`spec.mappings` fills `{}` twice: remove one of the two",
            pair[0].destination
        ))),
        None => Ok(rows),
    }
}

/// A path or an expression in which `_tenant` stands for the sandbox's own tenant namespace. In quotes it is mere text.
fn with_tenant(text: &str, tenant: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut quote = None;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let word = &rest[..word.unwrap_or(rest.len())];
        if word.is_empty() {
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

pub(super) fn current_row(row: &MappingRow) -> Value {
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

pub(super) fn legacy_row(row: &MappingRow) -> Value {
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
}
