//! Rules of the repository: dependencies between crates and modules, versions, and documentation.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use tests::program::workspace;

/// Permitted dependencies of the domain: eight crates and their own dependencies.
const DOMAIN_CLOSURE: [&str; 22] = [
    "async-trait",
    "deranged",
    "derive-where",
    "domain",
    "num-conv",
    "powerfmt",
    "precis-core",
    "precis-profiles",
    "proc-macro2",
    "quote",
    "secrecy",
    "syn",
    "thiserror",
    "thiserror-impl",
    "time",
    "time-core",
    "time-macros",
    "tinyvec",
    "unicode-ident",
    "unicode-normalization",
    "unicode-script",
    "zeroize",
];

fn dependencies(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--prefix", "none", "--format", "{p}"])
        .args(arguments)
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn domain_has_only_allowed_dependencies() {
    let allowed = DOMAIN_CLOSURE.map(str::to_owned).into();
    let found = dependencies(&["--package", "domain", "--edges", "normal"]);
    let leaked: Vec<_> = found.difference(&allowed).collect();
    assert!(leaked.is_empty(), "the domain depends on {leaked:?}");
}

/// The modules of the domain, each after its permitted dependencies.
const DOMAIN_MODULES: [&str; 10] =
    ["kernel", "access", "audit", "record", "student", "token", "user", "session", "quota", "login"];

#[test]
fn domain_modules_form_no_cycle() {
    for (position, module) in DOMAIN_MODULES.iter().enumerate() {
        let mut code = String::new();
        let source = workspace().join("domain/src");
        match fs::read_to_string(source.join(format!("{module}.rs"))) {
            Ok(file) => code = file,
            Err(_) => gather(&source.join(module), &mut code),
        }
        assert!(!code.is_empty(), "{module}");
        for later in &DOMAIN_MODULES[position + 1..] {
            for path in [format!("crate::{later}::"), format!("use crate::{{{later}::")] {
                assert!(!code.contains(&path), "domain::{module} uses domain::{later}");
            }
        }
    }
}

#[test]
fn adapters_do_not_depend_on_each_other_or_http() {
    let packages = ["adapter-argon2", "adapter-jwt", "adapter-memory", "adapter-postgres", "adapter-sqlite"];
    for adapter in packages {
        let found = dependencies(&["--package", adapter, "--edges", "normal"]);
        for other in packages.into_iter().filter(|&other| other != adapter).chain(["app", "poem", "hyper"]) {
            assert!(!found.contains(other), "{adapter} depends on {other}");
        }
        assert!(found.contains("domain"));
    }
}

#[test]
fn versions_are_only_in_workspace_table() {
    let root = read("Cargo.toml");
    let members = root.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    for member in members.split('"').skip(1).step_by(2) {
        let manifest = read(&format!("{member}/Cargo.toml"));
        let dependencies = manifest
            .split("\n[")
            .filter(|section| section.starts_with("dependencies") || section.contains("-dependencies]"));
        for line in dependencies.flat_map(|section| section.lines().skip(1)) {
            let own = line.contains("path = \".\"");
            assert!(!line.contains('=') || line.contains("workspace = true") || own, "{member}: {line}");
        }
        assert!(manifest.contains("[lints]\nworkspace = true"), "{member} does not inherit the lints of the workspace");
    }
}

#[test]
fn invariants_name_existing_types_and_tests() {
    let mut code = String::new();
    for folder in ["domain", "adapters", "app", "tests", "xtask"] {
        gather(&workspace().join(folder), &mut code);
    }
    let exists = |name: &str| {
        ["fn", "struct", "trait", "enum"]
            .iter()
            .any(|kind| ["(", "<", " ", ":", ";"].iter().any(|end| code.contains(&format!("{kind} {name}{end}"))))
            || code.contains(&format!("    {name},\n"))
    };
    let map = read("ARCHITECTURE.md");
    let invariants = map.split("## Invariants").nth(1).unwrap().split("\n## ").next().unwrap();
    let invariants: Vec<_> = invariants.split("\n- ").skip(1).collect();
    assert!(invariants.len() >= 20, "{invariants:#?}");
    for invariant in invariants {
        let names = invariant.split('`').skip(1).step_by(2);
        let mut names = names.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_')).peekable();
        assert!(names.peek().is_some() || invariant.contains("tests/suite/"), "no type or test is named: {invariant}");
        for name in names {
            assert!(exists(name), "ARCHITECTURE.md names {name}, which does not exist");
        }
    }
}

fn gather(folder: &std::path::Path, code: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
