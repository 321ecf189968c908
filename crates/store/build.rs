//! Builds the crate again when a migration changes: they are embedded, and the compiler does not see them otherwise.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
