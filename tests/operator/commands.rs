//! Every command that a page names is run, or says why it is not.

use std::path::{Path, PathBuf};

use aep_control_plane::ControlPlane;
use aep_simulator::Options;
use aep_test_kit::World;
use aep_test_kit::pages::{commands, follow};

use crate::docs::{ROOT, files, pages, quoted, text};

/// Before a block of commands: who runs it.
const RUN: &str = "<!-- Run by `";
/// Or why nobody does.
const NOT_RUN: &str = "<!-- Not run by a test: ";

/// What stands in pages for something of the reader's own, in the order in which it is to be replaced.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("KIND NAME", "dataflow payments"),
    ("aepdf NAME", "aepdf payments"),
    ("aepsb NAME", "aepsb default"),
    ("generic NAME", "generic adobe-io"),
    (
        "--from-literal=…",
        "--from-literal=clientId=aep-operator-demo --from-literal=clientSecret=demo-secret",
    ),
    ("-n NAMESPACE", ""),
];

/// Beginnings of commands in the text that are not run here, and why.
const NOT_RUN_HERE: [(&str, &str); 7] = [
    ("kubectl explain`", "it is only named"),
    ("kubectl describe`", "it is only named"),
    (
        "kubectl logs",
        "there are no Pods; the tests of the node look at logs",
    ),
    ("kubectl describe pod", "there are no Pods"),
    (
        "kubectl apply",
        "the definitions are there; the tests of the charts install them",
    ),
    (
        "kubectl diff",
        "it is only named; the page on promotion runs it",
    ),
    (
        "kubectl wait --for=condition=LastRunSucceeded",
        "nothing runs; the tests of runs see the condition",
    ),
];

/// Where blocks of commands may be.
fn all_pages() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    let mut all = pages();
    for folder in ["charts", "simulator", "tests"] {
        all.extend(files(&root.join(folder), "md"));
    }
    all.extend(["CONTRIBUTING.md", "SECURITY.md"].map(|it| root.join(it)));
    all
}

/// The page and line before each block of commands.
fn blocks() -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    for page in all_pages() {
        let name = page.strip_prefix(ROOT).unwrap().display().to_string();
        let text = text(&page);
        let lines: Vec<_> = text.lines().collect();
        for (at, _) in lines.iter().enumerate().filter(|(_, it)| **it == "```sh") {
            blocks.push((name.clone(), lines[at.saturating_sub(1)].to_owned()));
        }
    }
    blocks
}

#[test]
fn every_block_of_commands_names_the_test_that_runs_it_or_says_why_none_does() {
    let sources = ["tests", "simulator"].map(|folder| files(&Path::new(ROOT).join(folder), "rs"));
    let sources: Vec<_> = sources.iter().flatten().map(text).collect();
    let blocks = blocks();
    assert!(blocks.len() > 20, "{blocks:?}");
    for (page, before) in blocks {
        if before.starts_with(NOT_RUN) && before.ends_with(". -->") {
            continue;
        }
        let test = before
            .strip_prefix(RUN)
            .and_then(|it| it.strip_suffix("`. -->"));
        let test = test.unwrap_or_else(|| panic!("{page}: `{before}` before a block of commands"));
        let function = format!("fn {test}(");
        // The simulator's tests know it by another path.
        let page = page.strip_prefix("simulator").unwrap_or(&page);
        let runs = |source: &&String| source.contains(&function) && source.contains(page);
        assert!(
            sources.iter().any(|it| runs(&it)),
            "{page}: {test} does not run it"
        );
    }
}

/// Runs commands as somebody would who has kubectl and this repository, in the reader's own namespace.
pub async fn follow_in(world: &World, script: &str) -> String {
    let namespace = &world.namespace;
    let script = format!("kubectl() {{ command kubectl -n {namespace} \"$@\"; }}\n{script}");
    follow(ControlPlane::shared().await, &["kubectl"], &script).await
}

async fn settled() -> World {
    let world = World::new().await;
    let objects = world.apply_sample("payments").await;
    world.all_ready(&objects).await;
    world
}

#[tokio::test]
async fn the_demo_of_the_readme_ends_well() {
    let world = World::unattended(Options::default()).await;
    let block = commands("README.md");
    let demo = block.lines().find(|line| line.starts_with("make demo"));
    let told = follow_in(&world, demo.unwrap()).await;
    for words in ["everything is Ready after", "nothing is left at Adobe"] {
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test]
async fn the_page_on_troubleshooting_has_an_object_looked_at_again() {
    let world = settled().await;
    world.simulator.clear_calls();
    follow_in(&world, &commands("docs/troubleshooting.md")).await;
    world
        .eventually("a fresh read", || async {
            let reads = world.simulator.count("GET", "/flows/{id}");
            (reads == 1).then_some(()).ok_or(reads.to_string())
        })
        .await;
}

/// What pages name in the middle of a sentence, without what is no command of kubectl.
fn in_the_text() -> Vec<String> {
    let mut found = Vec::new();
    for page in pages() {
        let text = text(&page);
        // Without blocks: their fences are backticks, too.
        let outside = text.split("```").step_by(2).collect::<Vec<_>>().join(" ");
        let commands = quoted(&outside).filter(|it| it.starts_with("kubectl "));
        let commands = commands.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" "));
        // The backtick ends what is only named.
        let is_run = |it: &String| {
            let whole = format!("{it}`");
            !NOT_RUN_HERE
                .iter()
                .any(|(start, _)| whole.starts_with(start))
        };
        found.extend(commands.filter(is_run));
    }
    found.sort();
    found.dedup();
    found
}

#[tokio::test]
async fn the_commands_in_the_text_of_pages_work() {
    let world = settled().await;
    let mut commands = in_the_text();
    assert!(commands.len() > 10, "{commands:?}");
    for command in &mut commands {
        for (placeholder, example) in PLACEHOLDERS {
            *command = command.replace(placeholder, example);
        }
        follow_in(&world, command).await;
    }
}
