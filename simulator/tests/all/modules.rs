//! The modules import one way only.

use std::path::Path;

use crate::circles::{circles, modules};

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let modules = modules(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    assert!(modules.len() > 50, "{:?}", modules.keys());
    assert_eq!(circles(&modules), [].into());
}

#[test]
fn a_circle_is_found_through_groups_folders_and_parents() {
    let modules = [
        ("", "mod a; mod b; use a::X;"),
        ("a", "use crate::{c::Z, b::{self, Y}}; // crate::a"),
        ("b::inner", "fn f() { super::super::c::g() }"),
        (
            "b",
            "use inner::g;\n#[cfg(test)]\nmod tests { use crate::a::X; }",
        ),
        ("c", "#[cfg(test)]\nmod tests;\nuse super::d;"),
        ("d", "use crate::b::inner;"),
        ("e", "use crate::a; use super::X;"),
    ];
    let name = |path: &str| {
        path.split("::")
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let modules = modules
        .map(|(path, text)| (name(path), text.to_owned()))
        .into();
    let circle = ["b", "c", "d"].map(str::to_owned).into();
    assert_eq!(circles(&modules), [circle].into());
}
