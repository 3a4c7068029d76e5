//! Lua as Argo CD runs the scripts of users: version 5.1 with the libraries `base`, `package` and `table`, of `os` only
//! the clock and only by `require`, and neither `string`, `math` nor `io`.

use mlua::serde::{de, ser};
use mlua::{Function, Lua, LuaOptions, LuaSerdeExt as _, StdLib};
use serde_json::{Map, Value, json};

/// What stands before every script.
const RESTRICT: &str = "
    local clock = { time = os.time, date = os.date }
    os, package.loaded.os, coroutine, package.loaded.coroutine = nil, nil, nil, nil
    package.preload.os = function() return clock end
";

/// Runs a script with the object as `obj`; gives what it returns.
pub fn run(script: &str, object: &Value) -> mlua::Result<Value> {
    let libraries = StdLib::PACKAGE | StdLib::TABLE | StdLib::OS;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.load(RESTRICT).exec()?;
    let given = ser::Options::new()
        .set_array_metatable(false)
        .serialize_none_to_null(false)
        .serialize_unit_to_null(false);
    lua.globals()
        .set("obj", lua.to_value_with(object, given)?)?;
    let script: Function = lua.load(script).into_function()?;
    // Lua cannot tell an empty list from an empty object.
    let taken = de::Options::new().encode_empty_tables_as_array(true);
    lua.from_value_with(script.call(())?, taken)
}

/// The object that a script made of another one, with the empty objects that came back as empty lists mended.
pub fn changed(script: &str, object: &Value) -> mlua::Result<Value> {
    run(script, object).map(|changed| mended(changed, object))
}

fn mended(new: Value, old: &Value) -> Value {
    match (new, old) {
        (Value::Array(items), Value::Object(_)) if items.is_empty() => json!({}),
        (Value::Array(items), Value::Array(before)) => {
            let before = before.iter().chain(std::iter::repeat(&Value::Null));
            let items = items.into_iter().zip(before);
            items.map(|(new, old)| mended(new, old)).collect()
        }
        (Value::Object(members), Value::Object(_)) => {
            let members = members.into_iter();
            let mended = members.map(|(name, new)| {
                let new = mended(new, &old[&name]);
                (name, new)
            });
            Value::Object(mended.collect::<Map<_, _>>())
        }
        (new, _) => new,
    }
}

#[test]
fn scripts_have_only_what_argo_cd_gives_them() {
    for absent in ["string", "math", "io", "os", "debug", "coroutine"] {
        let kind = run(&format!("return type({absent})"), &json!({})).unwrap();
        assert_eq!(kind, "nil", "{absent}");
    }
    assert!(run("return ('a'):upper()", &json!({})).is_err());
    assert!(run("return require('io')", &json!({})).is_err());
    let time = run("return require('os').date('!%Y')", &json!({})).unwrap();
    assert_eq!(time.as_str().unwrap().len(), 4);
}

#[test]
fn objects_come_back_from_lua_as_they_were() {
    let object =
        json!({ "metadata": { "generation": 3 }, "spec": { "params": {}, "list": [{ "a": {} }] } });
    assert_eq!(changed("return obj", &object).unwrap(), object);
}
