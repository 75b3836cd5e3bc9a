//! Dependencies point one way (ARCHITECTURE §2): this test reads the manifests and keeps it so.

#![allow(clippy::unwrap_used)]

use std::{collections::BTreeMap, fs, path::PathBuf};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Takes bytes, gives bytes.
    Deterministic,
    /// Lets the world in, but knows no other edge except `store`, `blobs`, `pool` and `client`.
    Edge,
    /// Edges that other edges may use.
    SharedEdge,
    /// May use everything.
    Top,
}

/// The ladder, bottom first: a deterministic crate may use those before it.
const LADDER: &[(&str, &str, Kind)] = &[
    ("chlom-keccak", "crates/keccak", Kind::Deterministic),
    ("chlom-primitives", "crates/primitives", Kind::Deterministic),
    ("chlom-crypto", "crates/crypto", Kind::Deterministic),
    ("chlom-royalty", "crates/royalty", Kind::Deterministic),
    ("chlom-state", "crates/state", Kind::Deterministic),
    ("chlom-module", "crates/module", Kind::Deterministic),
    ("chlom-chain", "l0-core/chain", Kind::Deterministic),
    ("chlom-lane", "l2-lanes/lane", Kind::Deterministic),
    ("chlom-statement", "l2-lanes/statement", Kind::Deterministic),
    ("chlom-evm", "l1-licensing/evm", Kind::Deterministic),
    ("chlom-app", "crates/app", Kind::Deterministic),
    ("chlom-store", "crates/store", Kind::SharedEdge),
    ("chlom-blobs", "crates/blobs", Kind::SharedEdge),
    ("chlom-pool", "crates/pool", Kind::SharedEdge),
    ("chlom-client", "crates/client", Kind::SharedEdge),
    ("chlom-page", "crates/page", Kind::Edge),
    ("chlom-abci", "l0-core/abci", Kind::Edge),
    ("chlom-watcher", "l2-lanes/watcher", Kind::Edge),
    ("chlom-rpc", "l1-licensing/rpc", Kind::Edge),
    ("chlom-operator", "l2-lanes/operator", Kind::Edge),
    ("chlom", "crates/chlom", Kind::Top),
];

/// Crates that bring clocks, sockets, disks or entropy: never below an edge.
const WORLDLY: &[&str] = &[
    "tokio",
    "axum",
    "hyper",
    "fjall",
    "rusqlite",
    "postgres",
    "rand",
    "getrandom",
    "tracing",
    "parking_lot",
    "prometheus-client",
    "anyhow",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).parse().unwrap()
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let table = |name: &str| manifest.get(name).and_then(|t| t.as_table()).cloned().unwrap_or_default();
    table("dependencies").into_iter().chain(table("build-dependencies")).map(|(name, _)| name).collect()
}

#[test]
fn every_workspace_member_is_on_the_ladder() {
    let workspace: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap().clone();
    let members: Vec<_> = members.iter().filter_map(|m| m.as_str()).collect();
    for member in &members {
        assert!(LADDER.iter().any(|(_, folder, _)| folder == member), "{member} has no rung");
    }
    assert_eq!(members.len(), LADDER.len(), "a rung has no crate");
}

#[test]
fn dependencies_point_down() {
    let rung: BTreeMap<&str, (usize, Kind)> =
        LADDER.iter().enumerate().map(|(i, (name, _, kind))| (*name, (i, *kind))).collect();
    for (name, folder, kind) in LADDER {
        let place = rung[name].0;
        for dependency in dependencies(&manifest(folder)) {
            let Some((below, other)) = rung.get(dependency.as_str()) else { continue };
            let allowed = match kind {
                Kind::Deterministic => *other == Kind::Deterministic && *below < place,
                Kind::SharedEdge => *other == Kind::Deterministic,
                Kind::Edge => matches!(other, Kind::Deterministic | Kind::SharedEdge),
                Kind::Top => true,
            };
            assert!(allowed, "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn deterministic_crates_bring_nothing_worldly() {
    for (name, folder, kind) in LADDER {
        if *kind == Kind::Deterministic {
            for dependency in dependencies(&manifest(folder)) {
                assert!(!WORLDLY.contains(&dependency.as_str()), "{name} depends on {dependency}");
            }
        }
    }
}

#[test]
fn only_edges_are_excused_from_the_determinism_lints() {
    for (name, folder, kind) in LADDER {
        let source = root().join(folder).join("src");
        let file = if source.join("lib.rs").exists() { "lib.rs" } else { "main.rs" };
        let text = fs::read_to_string(source.join(file)).unwrap();
        let excused = text.contains("allow(clippy::disallowed_types, clippy::disallowed_methods)");
        assert_eq!(excused, *kind != Kind::Deterministic, "{name}: see .clippy.toml");
    }
}

#[test]
fn every_crate_inherits_the_workspace_lints_and_describes_itself() {
    for (name, folder, _) in LADDER {
        let manifest = manifest(folder);
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{name}");
        assert!(manifest["package"]["description"].as_str().is_some_and(|d| d.len() > 20), "{name}");
    }
}
