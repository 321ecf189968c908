//! The borders between crates: `cargo metadata` must show no edge that the table below does not allow.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::tree;

/// What one crate may use of ours, and which crates of others it must not use.
struct Border {
    name: &'static str,
    ours: &'static [&'static str],
    not: &'static [&'static str],
}

/// Crates that open sockets or files, or run tasks: pure code has none of them.
const NO_IO: &[&str] =
    &["tokio", "tokio-util", "axum", "axum-extra", "hyper", "tower", "tower-http", "sqlx", "reqwest", "rustix"];

const BORDERS: &[Border] = &[
    Border { name: "scim", ours: &[], not: NO_IO },
    Border { name: "provisioning", ours: &["scim"], not: NO_IO },
    Border { name: "store", ours: &["scim", "provisioning"], not: &["axum", "tower-http", "reqwest"] },
    Border { name: "dingtalk", ours: &["provisioning"], not: &["axum", "tower-http", "sqlx"] },
    Border {
        name: "reconciler",
        ours: &["scim", "provisioning", "store"],
        not: &["axum", "tower-http", "reqwest", "sqlx"],
    },
    Border { name: "api", ours: &["scim", "provisioning", "store"], not: &["reqwest", "sqlx"] },
    Border { name: "console", ours: &["api", "provisioning"], not: &["reqwest", "sqlx"] },
    // It must not share wire types with `dingtalk`, or both could be wrong together.
    Border { name: "simulator", ours: &[], not: &["sqlx"] },
    Border {
        name: "server",
        ours: &["api", "console", "dingtalk", "provisioning", "reconciler", "scim", "simulator", "store"],
        not: &[],
    },
    Border {
        name: "tests",
        ours: &["api", "console", "dingtalk", "provisioning", "reconciler", "scim", "server", "simulator", "store"],
        not: &[],
    },
];

/// Edges of `[dev-dependencies]` between our crates, each with its reason. They are not edges of the product.
const DEV_EDGES: &[(&str, &str, &str)] = &[];

/// Crates that must not be anywhere in the tree: the product has one TLS library and needs no system one.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "hyper-tls", "postgres-native-tls"];

struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    for_tests: bool,
}

fn packages() -> anyhow::Result<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(tree::root())
        .output()
        .context("running cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    list(&metadata, "packages")
        .iter()
        .map(|package| {
            let dependencies = list(package, "dependencies")
                .iter()
                .map(|dependency| {
                    let name = text(dependency, "name").context("a dependency without a name")?;
                    Ok(Dependency { name, for_tests: text(dependency, "kind").as_deref() == Some("dev") })
                })
                .collect::<anyhow::Result<_>>()?;
            Ok(Package { name: text(package, "name").context("a package without a name")?, dependencies })
        })
        .collect()
}

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("rollcall-")
}

/// Everything that is wrong with one edge, or nothing.
fn judge(border: &Border, dependency: &Dependency) -> Option<String> {
    let (from, to) = (border.name, dependency.name.as_str());
    match short(to) {
        Some(ours) if dependency.for_tests => {
            let allowed = DEV_EDGES.iter().any(|(user, used, _)| (*user, *used) == (from, ours));
            (!allowed).then(|| format!("`{from}` uses `{ours}` in its tests, which DEV_EDGES does not list"))
        }
        Some(ours) => (!border.ours.contains(&ours)).then(|| format!("`{from}` must not use `{ours}`")),
        None if dependency.for_tests => None,
        None => border.not.contains(&to).then(|| format!("`{from}` must not use the crate `{to}`")),
    }
}

#[test]
fn no_crate_crosses_its_border() -> anyhow::Result<()> {
    let packages = packages()?;
    let mut wrong = Vec::new();
    for package in &packages {
        match BORDERS.iter().find(|border| Some(border.name) == short(&package.name)) {
            Some(border) => wrong.extend(package.dependencies.iter().filter_map(|edge| judge(border, edge))),
            None => wrong.push(format!("`{}` is not in the table of borders", package.name)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let seen: BTreeSet<_> = packages.iter().filter_map(|package| short(&package.name)).collect();
    let listed: BTreeSet<_> = BORDERS.iter().map(|border| border.name).collect();
    assert_eq!(seen, listed, "the table names the workspace's crates, no more and no fewer");
    Ok(())
}

#[test]
fn the_judge_sees_every_kind_of_wrong_edge() {
    let border = Border { name: "scim", ours: &["provisioning"], not: NO_IO };
    for (name, for_tests, right) in [
        ("rollcall-provisioning", false, true),
        ("rollcall-store", false, false),
        ("rollcall-store", true, false),
        ("serde", false, true),
        ("sqlx", false, false),
        ("tokio", true, true),
    ] {
        let dependency = Dependency { name: name.to_owned(), for_tests };
        assert_eq!(judge(&border, &dependency).is_none(), right, "{name}, for tests: {for_tests}");
    }
}

#[test]
fn no_banned_crate_is_in_the_tree() -> anyhow::Result<()> {
    let lock = tree::read(Path::new("Cargo.lock"))?;
    let names: BTreeSet<_> =
        lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(names.contains("rustls"), "the lock file is read");
    let found: Vec<_> = BANNED.iter().filter(|banned| names.contains(*banned)).collect();
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}

#[test]
fn every_crate_comes_from_the_registry_or_from_here() -> anyhow::Result<()> {
    let lock = tree::read(Path::new("Cargo.lock"))?;
    let elsewhere: Vec<_> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = "))
        .filter(|source| *source != "\"registry+https://github.com/rust-lang/crates.io-index\"")
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    Ok(())
}
