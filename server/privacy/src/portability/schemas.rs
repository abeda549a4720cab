//! JSON Schemas (2020-12) of what an archive holds, from its plan: what a line of each file is.

use persistence::catalog::Kind;
use serde_json::{Map, Value, json};

use super::tables::{ArchiveColumn, ArchiveTable};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

fn shape(column: &ArchiveColumn) -> Value {
    let mut shape = if column.is_record() {
        json!({ "type": "object" })
    } else {
        match column.kind {
            Kind::Id => json!({ "type": "string", "format": "uuid" }),
            Kind::Text => json!({ "type": "string" }),
            Kind::Number if column.is_short => {
                json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX })
            }
            Kind::Number => json!({ "type": "integer" }),
            Kind::Moment => json!({ "type": "string", "format": "date-time", "pattern": "Z$" }),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Bytes => json!({ "type": "string", "description": "Bytes: checksums in hex, others in base64." }),
        }
    };
    if column.is_optional
        && let Some(object) = shape.as_object_mut()
        && let Some(kind) = object.remove("type")
    {
        object.insert("type".to_owned(), json!([kind, "null"]));
    }
    if let Some(object) = shape.as_object_mut() {
        object.insert("x-class".to_owned(), json!(column.class));
        object.insert("x-right".to_owned(), json!(if column.is_portable { "portable" } else { "access" }));
    }
    shape
}

/// The schema of one line of a table's file.
#[must_use]
pub fn of_table(table: &ArchiveTable) -> Value {
    let properties: Map<String, Value> =
        table.columns.iter().map(|column| (column.export.clone(), shape(column))).collect();
    let required: Vec<&str> = table.columns.iter().map(|column| column.export.as_str()).collect();
    json!({
        "$schema": DIALECT,
        "$id": format!("urn:mini-webinar:archive:1:{}", table.schema().trim_start_matches("schemas/")),
        "title": table.file,
        "description": "One line of the file is one such object. Moments are in UTC, to the microsecond.",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of `manifest.json`.
#[must_use]
pub fn of_manifest() -> Value {
    let digest = json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" });
    json!({
        "$schema": DIALECT,
        "$id": "urn:mini-webinar:archive:1:manifest.json",
        "title": "manifest",
        "type": "object",
        "properties": {
            "format": { "type": "string", "pattern": "^mini-webinar-archive/1\\.[0-9]+$" },
            "archive": { "type": "string", "format": "uuid" },
            "kind": { "enum": ["coach", "viewer"] },
            "person": { "type": "string", "format": "uuid" },
            "controller": { "type": "string", "format": "uuid" },
            "snapshot_at": { "type": "string", "format": "date-time" },
            "map_sha256": digest,
            "software": { "type": "string" },
            "state": { "enum": ["ready", "incomplete"] },
            "files": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "path": { "type": "string" },
                        "sha256": digest,
                        "bytes": { "type": "integer", "minimum": 0 },
                        "rows": { "type": ["integer", "null"], "minimum": 0 },
                        "schema": { "type": ["string", "null"] },
                        "classes": { "type": "array", "items": { "type": "string" } },
                    },
                    "required": ["path", "sha256", "bytes", "rows", "schema", "classes"],
                    "additionalProperties": false,
                },
            },
        },
        "required": [
            "format", "archive", "kind", "person", "controller", "snapshot_at", "map_sha256", "software", "state", "files",
        ],
    })
}

/// The schema of `omissions.json`.
#[must_use]
pub fn of_omissions() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "$schema": DIALECT,
        "$id": "urn:mini-webinar:archive:1:omissions.json",
        "title": "omissions",
        "type": "object",
        "properties": {
            "is_complete": { "type": "boolean" },
            "missing": { "type": "array", "items": { "$ref": "#/$defs/omission" } },
            "left_out": { "type": "array", "items": { "$ref": "#/$defs/omission" } },
            "never_given": { "type": "array", "items": { "$ref": "#/$defs/omission" } },
        },
        "required": ["is_complete", "missing", "left_out", "never_given"],
        "additionalProperties": false,
        "$defs": {
            "omission": {
                "type": "object",
                "properties": {
                    "class": text,
                    "what": { "type": "array", "items": text },
                    "reason": text,
                    "ground": text,
                },
                "required": ["class", "what", "reason", "ground"],
                "additionalProperties": false,
            },
        },
    })
}

/// The schema of `access/art15.json`.
#[must_use]
pub fn of_access() -> Value {
    let text = json!({ "type": "string" });
    let texts = json!({ "type": "array", "items": text });
    json!({
        "$schema": DIALECT,
        "$id": "urn:mini-webinar:archive:1:art15.json",
        "title": "art15",
        "type": "object",
        "properties": {
            "format": text,
            "made_at": { "type": "string", "format": "date-time" },
            "map_sha256": text,
            "person": { "enum": ["coach", "viewer"] },
            "controller": {
                "type": "object",
                "properties": { "name": text, "contact": text },
                "required": ["name", "contact"],
            },
            "processor": { "type": ["string", "null"] },
            "categories": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "class": text, "title": text, "purposes": texts, "bases": texts, "retention": texts,
                        "source": text, "files": texts,
                    },
                    "required": ["class", "title", "purposes", "bases", "retention", "source", "files"],
                    "additionalProperties": false,
                },
            },
            "recipients": texts,
            "rights": texts,
            "authority": {
                "type": "object",
                "properties": { "name": text, "url": text },
                "required": ["name", "url"],
            },
            "automated_decisions": text,
        },
        "required": [
            "format", "made_at", "map_sha256", "person", "controller", "processor", "categories", "recipients", "rights",
            "authority", "automated_decisions",
        ],
    })
}
