//! `stargate rubric new`: the first files of a rubric, with cases that fail until they are edited.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use stargate_common::evaluate::scaffold::{self, Scaffold};
use stargate_common::stage::Stage;
use stargate_common::suggest::suggest;

use crate::output;

/// Write the first files of a rubric: rubric.yaml, and a case each that passes, fails and cannot tell.
///
/// The rubric is valid. Its cases fail until they are edited, so that nobody forgets them. Nothing is overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  written    2  wrong usage, or a file is there already

Examples:
  stargate rubric new webshop --extends deployment-ready     what one lab adds to a stage
  stargate rubric new route-ready --dir my-rubrics           a stage of a new set
  stargate rubric test rubrics/labs/webshop                  says what is to be edited")]
pub struct Args {
    /// A stage, or the name of a lab
    #[arg(value_name = "STAGE|LAB")]
    name: String,
    /// The stage that the lab adds to
    #[arg(long, value_name = "STAGE")]
    extends: Option<String>,
    /// Directory of the rubric set
    #[arg(long, default_value = "rubrics", value_name = "DIR")]
    dir: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When there is no such stage, or a file is there already or cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (folder, files) = scaffold(args)?;
    let target = |path: &str| args.dir.join(path);
    if let Some(file) = files.iter().find(|file| target(&file.path).exists()) {
        bail!("{} is there already; nothing was written", target(&file.path).display());
    }
    for file in &files {
        let path = target(&file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        let mut opened = std::fs::File::create_new(&path).with_context(|| format!("writing {}", path.display()))?;
        opened
            .write_all(file.text.as_bytes())
            .with_context(|| format!("writing {}", path.display()))?;
        output::text(&format!("{}\n", path.display()))?;
    }
    output::note(&format!("edit them, then run: stargate rubric test {}", target(&folder).display()));
    Ok(ExitCode::SUCCESS)
}

/// The folder of the rubric, and its files.
fn scaffold(args: &Args) -> anyhow::Result<(String, Vec<Scaffold>)> {
    let name = args.name.as_str();
    let known = |text: &str| {
        let near = suggest(text, Stage::ALL.into_iter().map(Stage::as_str));
        Stage::parse(text).with_context(|| format!("there is no stage `{text}`; {near}"))
    };
    match &args.extends {
        None => {
            let stage = known(name).context("a lab needs --extends STAGE")?;
            Ok((name.to_owned(), scaffold::stage(stage)))
        }
        Some(_) if Stage::parse(name).is_some() => bail!("`{name}` is a stage, which extends nothing: name the lab"),
        Some(stage) => {
            let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
            if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || !name.chars().all(is_plain) {
                bail!("`{name}` cannot name a lab: use small letters, digits and dashes, a letter first");
            }
            Ok((format!("labs/{name}"), scaffold::lab(name, known(stage)?)))
        }
    }
}
