//! Whether a JSON value has the shape that the document promises. As much of JSON Schema as the document uses, and stricter: a
//! property that the schema does not name is an error.

use serde_json::Value;

/// Every way in which `value` differs from `schema`.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "$", &mut faults);
    faults
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let target = document.pointer(reference.trim_start_matches('#'));
            resolve(document, target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
        None => schema,
    }
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema = resolve(document, schema);
    for alternatives in ["oneOf", "anyOf"] {
        if let Some(options) = schema[alternatives].as_array() {
            if !options.iter().any(|option| self::faults(document, option, value).is_empty()) {
                faults.push(format!("{at}: {value} fits no alternative of {schema}"));
            }
            return;
        }
    }
    if let Some(types) = types(schema)
        && !types.contains(&kind(value))
        && !(types.contains(&"number") && kind(value) == "integer")
    {
        faults.push(format!("{at}: {} instead of {}", kind(value), types.join(" or ")));
        return;
    }
    if let (Some(words), false) = (schema["enum"].as_array(), value.is_null())
        && !words.contains(value)
    {
        faults.push(format!("{at}: {value} is not in {words:?}"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        faults.push(format!("{at}: {number} is below {least}"));
    }
    if let (Some(most), Some(number)) = (schema["maximum"].as_f64(), value.as_f64())
        && number > most
    {
        faults.push(format!("{at}: {number} is above {most}"));
    }
    if let Some(items) = value.as_array() {
        for (i, item) in items.iter().enumerate() {
            check(document, &schema["items"], item, &format!("{at}[{i}]"), faults);
        }
    }
    let properties = properties(document, schema);
    if !properties.is_empty() && !value.is_object() && !value.is_null() {
        faults.push(format!("{at}: {} instead of object", kind(value)));
    }
    if let Some(object) = value.as_object() {
        // An object without properties is any object.
        if properties.is_empty() {
            return;
        }
        for (name, item) in object {
            match properties.iter().find(|(known, _)| *known == name) {
                Some((_, schema)) => check(document, schema, item, &format!("{at}.{name}"), faults),
                None => faults.push(format!("{at}.{name} is not in the schema")),
            }
        }
        for name in required(document, schema) {
            if !object.contains_key(&name) {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
    }
}

fn types(schema: &Value) -> Option<Vec<&str>> {
    match &schema["type"] {
        Value::String(one) => Some(vec![one]),
        Value::Array(several) => Some(several.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The properties of a schema and of everything it is composed of.
fn properties<'a>(document: &'a Value, schema: &'a Value) -> Vec<(&'a String, &'a Value)> {
    let schema = resolve(document, schema);
    let own = schema["properties"].as_object().into_iter().flatten();
    let parts = schema["allOf"].as_array().into_iter().flatten();
    own.chain(parts.flat_map(|part| properties(document, part))).collect()
}

fn required(document: &Value, schema: &Value) -> Vec<String> {
    let schema = resolve(document, schema);
    let own = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let parts = schema["allOf"].as_array().into_iter().flatten();
    own.chain(parts.flat_map(|part| required(document, part))).collect()
}

#[test]
fn the_checker_itself_sees_what_is_wrong() {
    let document = serde_json::json!({ "components": { "schemas": {
        "Base": { "type": "object", "properties": { "n": { "type": "integer", "minimum": 0 } }, "required": ["n"] },
        "Row": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "type": "object", "properties": {
            "word": { "type": ["string", "null"], "enum": ["a", "b"] }, "list": { "type": "array", "items": { "type": "number" } } } }] },
    } } });
    let schema = serde_json::json!({ "$ref": "#/components/schemas/Row" });
    let faults = |value: Value| self::faults(&document, &schema, &value);
    assert_eq!(faults(serde_json::json!({ "n": 1, "word": "a", "list": [1, 2.5] })), [""; 0]);
    assert_eq!(faults(serde_json::json!({ "n": 1, "word": null })), [""; 0]);
    for wrong in [
        serde_json::json!({}),
        serde_json::json!({ "n": -1 }),
        serde_json::json!({ "n": 1.5 }),
        serde_json::json!({ "n": 1, "more": 1 }),
        serde_json::json!({ "n": 1, "word": "c" }),
        serde_json::json!({ "n": 1, "list": ["x"] }),
        serde_json::json!([]),
    ] {
        assert_eq!(faults(wrong.clone()).len(), 1, "{wrong}: {:?}", faults(wrong.clone()));
    }
}
