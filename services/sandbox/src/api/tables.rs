//! Objects as tables, and as metadata alone.

use serde_json::{Value, json};

use super::query::Query;
use crate::kinds::{KindRef, columns};
use crate::store::Object;

/// How much of each object goes along with its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inclusion {
    None,
    Metadata,
    Object,
}

impl Inclusion {
    pub fn of(query: &Query) -> Self {
        match query.get("includeObject") {
            Some("None") => Self::None,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// `PartialObjectMetadata` of an object.
pub fn metadata(object: &Object) -> Value {
    let mut value = object.bare_value();
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"].take()})
}

/// A table of objects. In a watch only the first table says its columns.
pub fn table<'a>(
    kind: KindRef,
    objects: impl IntoIterator<Item = &'a Object>,
    inclusion: Inclusion,
    version: &str,
    with_columns: bool,
) -> Value {
    let rows: Vec<Value> = objects
        .into_iter()
        .map(|object| {
            let value = object.value();
            let cells: Vec<Value> = kind.columns.iter().map(|column| (column.cell)(&value)).collect();
            let mut row = json!({"cells": cells});
            match inclusion {
                Inclusion::None => {}
                Inclusion::Metadata => row["object"] = metadata(object),
                Inclusion::Object => row["object"] = value,
            }
            row
        })
        .collect();
    let columns = if with_columns {
        columns::definitions(kind.columns)
    } else {
        Vec::new()
    };
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": columns,
        "rows": rows,
    })
}
