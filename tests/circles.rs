//! Which modules import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A module by the names that lead to it from its crate's root.
pub type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// The modules below a folder of sources with their text. Tests are left out: they may import what they like.
pub fn modules(src: &Path) -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    gather(src, &Module::new(), &mut found);
    found
}

fn gather(folder: &Path, parent: &Module, found: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut module = parent.clone();
        if !matches!(name.as_str(), "mod" | "lib" | "main") {
            module.push(name.clone());
        }
        if path.is_dir() {
            gather(&path, &module, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !name.starts_with("test") {
            found.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The circles among modules that lie side by side, whether files or folders. What a module and the one that declares
/// it know of each other is no circle: they are one.
pub fn circles(modules: &BTreeMap<Module, String>) -> BTreeSet<BTreeSet<String>> {
    let mut graph = Graph::new();
    for (from, text) in modules {
        for path in paths(text) {
            let to = target(from, &path, modules);
            let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if shared < from.len() && shared < to.len() {
                let imports = graph.entry(from[..=shared].to_vec()).or_default();
                imports.insert(to[..=shared].to_vec());
            }
        }
    }
    let reach: BTreeMap<_, _> = graph.keys().map(|it| (it, reachable(&graph, it))).collect();
    let circle = |one: &Module| -> BTreeSet<String> {
        let mutual = reach[one]
            .iter()
            .filter(|it| reach.get(it).is_some_and(|r| r.contains(one)));
        mutual.map(|it| it.join("::")).collect()
    };
    graph
        .keys()
        .map(circle)
        .filter(|it| !it.is_empty())
        .collect()
}

fn reachable(graph: &Graph, from: &Module) -> BTreeSet<Module> {
    let mut seen = BTreeSet::new();
    let mut todo = vec![from];
    while let Some(next) = todo.pop() {
        for import in graph.get(next).into_iter().flatten() {
            if seen.insert(import.clone()) {
                todo.push(import);
            }
        }
    }
    seen
}

/// The module that a path leads to or into.
fn target(from: &Module, path: &[String], modules: &BTreeMap<Module, String>) -> Module {
    let up = path.iter().take_while(|step| *step == "super").count();
    let (mut to, rest) = match path[0].as_str() {
        "crate" => (Module::new(), &path[1..]),
        _ => (from[..from.len().saturating_sub(up)].to_vec(), &path[up..]),
    };
    to.extend_from_slice(rest);
    while !to.is_empty() && !modules.contains_key(&to) {
        to.pop();
    }
    to
}

/// Every path in a text that starts with `crate` or `super`, groups in braces taken apart.
fn paths(text: &str) -> Vec<Vec<String>> {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let code: String = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some(at) = ["crate::", "super::"]
        .iter()
        .filter_map(|it| rest.find(it))
        .min()
    {
        rest = tree(&rest[at..], &[], &mut found);
    }
    found
}

/// Reads one tree of paths, as `use` has them, and answers with what follows it.
fn tree<'t>(text: &'t str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    let mut path = prefix.to_vec();
    let mut rest = text.trim_start();
    loop {
        let name = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if name > 0 {
            path.push(rest[..name].to_owned());
            rest = &rest[name..];
        }
        if let Some(next) = rest.strip_prefix("::") {
            rest = next;
        } else if name == 0 && rest.starts_with('{') {
            return group(&rest[1..], &path, found);
        } else {
            found.push(path);
            return rest;
        }
    }
}

fn group<'t>(mut text: &'t str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'t str {
    loop {
        text = tree(text, prefix, found);
        let end = text.find([',', '}']).unwrap_or(text.len());
        let closed = text[end..].starts_with('}');
        text = text.get(end + 1..).unwrap_or_default();
        if closed || text.is_empty() {
            return text;
        }
    }
}
