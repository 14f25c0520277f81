//! Makes the raw material of `tests/corpus`: `corpus make [--dir DIR] [NAME…]`.
//!
//! ```text
//! <case>/recipe.yaml ──(stage.rs: a simulated namespace)──(edit.rs: what a simulator would never do)──┐
//!                                             <case>/recording/  <──(layout.rs)──────────────────────┤
//!                                             <case>/beside.yaml <──(beside.rs)──────────────────────┘
//! ```
//!
//! The same recipe gives the same bytes: chance comes from the case's name. It never writes `truth.yaml`: what is true of a
//! namespace is written by people, before anybody looks at what StarGate says. See `tests/corpus/README.md`.

mod beside;
mod edit;
mod layout;
mod recipe;
mod stage;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;

use recipe::Recipe;

/// Make recordings from the recipes of the corpus.
#[derive(Parser)]
struct Args {
    /// The corpus
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))]
    dir: PathBuf,
    /// Cases, by the beginning of their names; all that have a recipe when none is given
    cases: Vec<String>,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut made = 0;
    for path in stargate_tests::corpus::folders(&args.dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = args.cases.is_empty() || args.cases.iter().any(|case| name.starts_with(case.as_str()));
        if wanted && path.join("recipe.yaml").exists() {
            make(&name, &path).with_context(|| format!("making {name}"))?;
            made += 1;
        }
    }
    if made == 0 {
        bail!("no case of that name has a recipe.yaml in {}", args.dir.display());
    }
    Ok(ExitCode::SUCCESS)
}

fn make(name: &str, folder: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(folder.join("recipe.yaml"))?;
    let recipe: Recipe = stargate_common::yaml::from_str(&text)?;
    let mut world = stage::set(name, &recipe)?;
    edit::all(&mut world, &recipe)?;
    layout::write(&world, &recipe, &folder.join("recording"))?;
    beside::write(&world, &recipe, &folder.join("beside.yaml"))
}
