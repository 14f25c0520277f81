//! Rebuilds the crate when a migration is added: `sqlx::migrate!` embeds the folder, and Cargo does not see it.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
