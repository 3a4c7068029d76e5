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
            source: mapping.source.clone(),
            destination: below_tenant(&mapping.destination, tenant),
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

fn below_tenant(path: &str, tenant: &str) -> String {
    let tenant = format!("_{tenant}");
    let segments = path.split('.');
    let segments = segments.map(|it| if it == "_tenant" { tenant.as_str() } else { it });
    segments.collect::<Vec<_>>().join(".")
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
