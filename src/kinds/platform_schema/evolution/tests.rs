use serde_json::json;

use super::*;

/// What is done at Adobe to a field `f` that it has, or the reason why nothing is.
fn planned(wanted: &Value, found: &Value) -> std::result::Result<Value, String> {
    let fields = |field: &Value| Members::from_iter([("f".to_owned(), field.clone())]);
    let mut ops = Vec::new();
    compare_fields(&mut ops, "", "spec.fields", &fields(wanted), &fields(found))
        .map(|()| json!(ops))
        .map_err(|error| error.to_string())
}

#[test]
fn a_constraint_may_be_weakened_or_dropped_but_not_made_stricter() {
    for (strict, weak) in [
        (json!({ "enum": ["a"] }), json!({ "enum": ["b", "a"] })),
        (json!({ "enum": [1] }), json!({ "enum": [1.0, 2] })),
        (json!({ "enum": ["a"] }), json!({})),
        (
            json!({ "required": ["a", "b"], "properties": { "a": {}, "b": {} } }),
            json!({ "required": ["b"], "properties": { "a": {}, "b": {} } }),
        ),
        (
            json!({ "required": ["a"], "properties": { "a": {} } }),
            json!({ "properties": { "a": {} } }),
        ),
        (json!({ "maxLength": 5 }), json!({ "maxLength": 6 })),
        (json!({ "maxLength": 5 }), json!({})),
        (json!({ "minLength": 5 }), json!({ "minLength": 4 })),
        (json!({ "minLength": 1 }), json!({})),
        (json!({ "minimum": 0 }), json!({ "minimum": -0.5 })),
        (json!({ "minimum": 0 }), json!({})),
        (json!({ "maximum": 10 }), json!({ "maximum": 11 })),
        (json!({ "exclusiveMaximum": 10 }), json!({})),
        (json!({ "minItems": 1, "uniqueItems": true }), json!({})),
        (json!({ "pattern": "^a" }), json!({})),
        (json!({ "format": "email" }), json!({})),
        (json!({ "multipleOf": 2 }), json!({})),
        (json!({ "const": "a" }), json!({})),
        (
            json!({ "items": { "maxLength": 5 } }),
            json!({ "items": {} }),
        ),
        (json!({ "items": { "maxLength": 5 } }), json!({})),
    ] {
        let ops = planned(&weak, &strict).unwrap();
        assert_ne!(ops, json!([]), "{weak} {strict}");
        let why = planned(&strict, &weak).unwrap_err();
        assert!(why.contains("`spec.fields.f` has"), "{why}");
        for same in [strict, weak] {
            assert_eq!(planned(&same, &same), Ok(json!([])), "{same}");
        }
    }
}

#[test]
fn what_is_weakened_is_set_and_what_is_dropped_is_removed() {
    let found = json!({ "enum": ["a"], "meta:enum": { "a": "A" }, "maxLength": 5 });
    let ops = json!([
        { "op": "remove", "path": "/f/enum" },
        { "op": "add", "path": "/f/maxLength", "value": 6 },
        { "op": "remove", "path": "/f/meta:enum" },
    ]);
    assert_eq!(planned(&json!({ "maxLength": 6 }), &found), Ok(ops));
}

#[test]
fn a_constraint_that_restricts_nothing_is_none() {
    for nothing in [
        json!({ "required": [], "enum": [], "uniqueItems": false, "minLength": 0, "pattern": null }),
        json!({ "type": "integer", "maximum": 2_147_483_647, "minimum": -2_147_483_648_i64 }),
        json!({ "maximum": 9_007_199_254_740_991_i64 }),
    ] {
        assert_eq!(planned(&json!({}), &nothing), Ok(json!([])), "{nothing}");
        assert_eq!(planned(&nothing, &nothing), Ok(json!([])), "{nothing}");
    }
    let short = json!({ "meta:xdmType": "short" });
    let bounded = json!({ "meta:xdmType": "short", "maximum": 32767 });
    assert_eq!(planned(&short, &bounded), Ok(json!([])));
    let ops = json!([{ "op": "remove", "path": "/f/maximum" }]);
    assert_eq!(planned(&json!({}), &bounded), Ok(ops));
}

#[test]
fn a_new_field_may_be_required_and_a_known_one_may_not() {
    let found = json!({ "properties": { "a": {} } });
    let wanted =
        |required: Value| json!({ "required": required, "properties": { "a": {}, "b": {} } });
    let ops = planned(&wanted(json!(["b"])), &found).unwrap();
    assert_eq!(
        ops[1],
        json!({ "op": "add", "path": "/f/required", "value": ["b"] })
    );
    assert!(planned(&wanted(json!(["a", "b"])), &found).is_err());
}

#[test]
fn the_order_of_values_and_names_and_the_spelling_of_numbers_do_not_count() {
    for (wanted, found) in [
        (json!({ "enum": ["a", "b"] }), json!({ "enum": ["b", "a"] })),
        (
            json!({ "required": ["a", "b"] }),
            json!({ "required": ["b", "a"] }),
        ),
        (json!({ "minimum": 1 }), json!({ "minimum": 1.0 })),
        (json!({ "enum": [1, "a"] }), json!({ "enum": [1.0, "a"] })),
    ] {
        assert_eq!(planned(&wanted, &found), Ok(json!([])), "{wanted}");
    }
}

#[test]
fn suggested_values_are_those_of_the_spec_where_it_has_some() {
    let found = json!({ "meta:enum": { "a": "A", "b": "B" } });
    let ops = json!([
        { "op": "add", "path": "/f/meta:enum/a", "value": "Ah" },
        { "op": "add", "path": "/f/meta:enum/c", "value": "C" },
        { "op": "remove", "path": "/f/meta:enum/b" },
    ]);
    let wanted = json!({ "meta:enum": { "a": "Ah", "c": "C" } });
    assert_eq!(planned(&wanted, &found), Ok(ops));
    // Without any, and for values that an enum allows, labels are Adobe's.
    assert_eq!(planned(&json!({}), &found), Ok(json!([])));
    let allowed = json!({ "enum": ["a", "b"], "meta:enum": { "a": "A", "b": "B" } });
    let wanted = json!({ "enum": ["a", "b"], "meta:enum": { "a": "A" } });
    assert_eq!(planned(&wanted, &allowed), Ok(json!([])));
}

#[test]
fn annotations_change_freely_and_stay_where_the_spec_has_none() {
    for key in [
        "title",
        "description",
        "default",
        "examples",
        "meta:status",
        "meta:titleId",
    ] {
        let (one, other) = (json!({ key: "one" }), json!({ key: "other" }));
        let ops = json!([{ "op": "add", "path": format!("/f/{key}"), "value": "one" }]);
        assert_eq!(planned(&one, &other), Ok(ops.clone()), "{key}");
        assert_eq!(planned(&one, &json!({})), Ok(ops), "{key}");
        assert_eq!(planned(&json!({}), &other), Ok(json!([])), "{key}");
    }
}

#[test]
fn another_type_is_another_field() {
    for (wanted, found) in [
        (json!({ "type": "string" }), json!({ "type": "integer" })),
        (
            json!({ "meta:xdmType": "date" }),
            json!({ "meta:xdmType": "string" }),
        ),
        (
            json!({ "type": "string" }),
            json!({ "type": "string", "format": "date" }),
        ),
        (
            json!({ "format": "date" }),
            json!({ "format": "date-time" }),
        ),
        (
            json!({ "type": "object" }),
            json!({ "type": "object", "$ref": "https://x.y/z" }),
        ),
        (
            json!({ "$ref": "https://x.y/a" }),
            json!({ "$ref": "https://x.y/z" }),
        ),
        (
            json!({ "properties": {} }),
            json!({ "properties": { "a": {} } }),
        ),
        (json!({}), json!({ "properties": { "a": {} } })),
    ] {
        let why = planned(&wanted, &found).unwrap_err();
        assert!(why.contains("`spec.fields.f"), "{why}");
    }
    let typed = json!({ "meta:xdmType": "date", "format": "date" });
    assert_eq!(
        planned(&json!({ "meta:xdmType": "date" }), &typed),
        Ok(json!([]))
    );
}
