//! `stargate policy`: what an author of policy rules needs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use stargate_common::evaluate::schema::text;
use stargate_common::policy::case::{self, Run};
use stargate_common::policy::input::{Group, inputs};
use stargate_common::policy::rule::{PolicyError, Rule, RuleSet};
use stargate_common::policy::{Scope, schema};
use stargate_common::suggest::suggest;

use crate::output;

/// Write policy rules, and be sure of them.
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Exit codes:
  0  fine    1  judged and not fine    2  bad input or usage

Examples:
  stargate policy lint policies          what is wrong with the rules, and where
  stargate policy test policies          run every case
  stargate policy explain pool           what rules about a pool may ask
  stargate policy explain pool_exhaustion"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Check rules: every mistake with file, line, column and the fix
    Lint {
        /// A folder of rules; by default ./policies, else the built-in rules
        dir: Option<PathBuf>,
    },
    /// Run cases: facts, and what a rule must make of them
    Test {
        /// A folder of rules, or of one rule; by default ./policies
        dir: Option<PathBuf>,
        /// Rules to judge by; by default those that the cases lie in
        #[arg(long, value_name = "DIR")]
        policies: Option<PathBuf>,
        /// Every case
        #[arg(long)]
        wide: bool,
    },
    /// What rules may ask of a lab, pool, cluster or the platform; or what a rule says
    Explain {
        /// A scope or a rule; without one, every rule in a line
        what: Option<String>,
    },
    /// The JSON Schema of rule files, for editors
    Schema {
        /// Write it into this folder
        #[arg(long, value_name = "DIR")]
        write: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// What the verb says: input that cannot be read, or wrong usage.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Lint { dir } => lint(dir.as_deref()),
        Verb::Test { dir, policies, wide } => test(dir.as_deref(), policies.as_deref(), *wide),
        Verb::Explain { what } => explain(what.as_deref()),
        Verb::Schema { write } => publish(write.as_deref()),
    }
}

/// What was named, else `./policies`.
fn usual(named: Option<&Path>) -> Option<&Path> {
    let usual = Path::new("policies");
    named.or_else(|| usual.is_dir().then_some(usual))
}

fn lint(dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let loaded = usual(dir).map_or_else(RuleSet::embedded, RuleSet::from_dir);
    let set = match loaded {
        Ok(set) => set,
        Err(PolicyError::Invalid(findings)) => {
            output::text(&findings.iter().map(|finding| format!("{finding}\n")).collect::<String>())?;
            return Ok(ExitCode::from(1));
        }
        Err(error) => return Err(error.into()),
    };
    output::text(&set.warnings.iter().map(|finding| format!("{finding}\n")).collect::<String>())?;
    output::text(&format!(
        "{} rules, version {}, {} warnings\n",
        set.rules.len(),
        set.version,
        set.warnings.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn test(dir: Option<&Path>, policies: Option<&Path>, wide: bool) -> anyhow::Result<ExitCode> {
    let Some(dir) = usual(dir) else {
        bail!("there is no ./policies here: name a folder of rules, or of one rule");
    };
    let own = if dir.join("rule.yaml").is_file() {
        dir.canonicalize()
            .with_context(|| format!("reading {}", dir.display()))?
            .parent()
            .map(Path::to_owned)
    } else {
        Some(dir.to_owned())
    };
    let rules = match policies.map(Path::to_owned).or(own) {
        Some(dir) => RuleSet::from_dir(&dir)?,
        None => RuleSet::embedded()?,
    };
    let run = case::run(&rules, &case::find(dir)?);
    output::text(&report(&run, wide))?;
    Ok(match (run.flaws.is_empty() && !run.tested.is_empty(), run.is_good()) {
        (false, _) => ExitCode::from(2),
        (true, false) => ExitCode::from(1),
        (true, true) => ExitCode::SUCCESS,
    })
}

fn report(run: &Run, wide: bool) -> String {
    let mut text = String::new();
    for tested in &run.tested {
        let place = format!("{}:{}: {}", tested.file, tested.line, tested.title);
        if tested.mismatches.is_empty() && wide {
            text += &format!("ok    {place}\n");
        }
        for mismatch in &tested.mismatches {
            text += &format!("FAIL  {place}: {mismatch}\n");
        }
    }
    text += &run.flaws.iter().map(|flaw| format!("ERROR {flaw}\n")).collect::<String>();
    for (_, point, place) in run.coverage.missing() {
        text += &format!("NOT SHOWN  {place}: {point}\n");
    }
    text + &format!(
        "coverage {} % ({} of {})\n{} passed, {} failed, {} errors\n",
        run.coverage.percent(),
        run.coverage.seen(),
        run.coverage.total(),
        run.tested.len() - run.failed(),
        run.failed(),
        run.flaws.len()
    )
}

fn explain(what: Option<&str>) -> anyhow::Result<ExitCode> {
    let rules = RuleSet::embedded()?;
    let Some(what) = what else {
        let line = |rule: &Rule| format!("{:<9} {:<26} {}\n", rule.scope, rule.id, rule.title);
        output::text(&rules.rules.iter().map(line).collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(scope) = Scope::parse(what) {
        output::text(&scope_text(scope))?;
    } else if let Some(rule) = rules.rule(what) {
        output::text(&rule_text(rule))?;
    } else {
        let mut known: Vec<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
        known.extend(Scope::ALL.map(Scope::as_str));
        bail!("there is no scope and no rule `{what}`; {}", suggest(what, known.into_iter()));
    }
    Ok(ExitCode::SUCCESS)
}

fn scope_text(scope: Scope) -> String {
    let mut text = format!("What rules about a {scope} may ask; what was not read is unknown, with its reason:\n\n");
    for input in inputs(scope) {
        let sources: Vec<&str> = input.sources.iter().map(|source| source.as_str()).collect();
        text += &format!("  {}: {}  [{}]\n      {}\n", input.name, input.ty, sources.join(", "), input.doc);
    }
    text += "\nWhat can be shown beside the advice (`evidence`):\n\n";
    for group in Group::ALL.into_iter().filter(|group| group.scopes().contains(&scope)) {
        text += &format!("  {:<24} {}\n", group.as_str(), group.about());
    }
    text
}

fn rule_text(rule: &Rule) -> String {
    let sources: Vec<&str> = rule.sources.iter().map(|source| source.as_str()).collect();
    let mut text = format!(
        "{} ({}): {}\n\n{}\n\nrests on {}\nwhen {}\n",
        rule.id,
        rule.scope,
        rule.title,
        rule.summary.trim(),
        sources.join(", "),
        rule.when
    );
    for threshold in &rule.thresholds {
        text += &format!("  {} = {}\n", threshold.name, threshold.number);
    }
    for row in &rule.table {
        let when = row.when.as_ref().map_or_else(|| "otherwise".to_owned(), ToString::to_string);
        let advice = if row.recommend { "" } else { " (no advice)" };
        text += &format!("  {when}: {}{advice}\n", row.name);
    }
    for step in &rule.urgency.steps {
        text += &format!("{} when {}\n", step.value, step.when);
    }
    text + &format!("else {}\n", rule.urgency.otherwise)
}

fn publish(write: Option<&Path>) -> anyhow::Result<ExitCode> {
    for (name, schema) in schema::all() {
        match write {
            None => output::text(&text(&schema))?,
            Some(dir) => {
                std::fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
                let path = dir.join(name);
                std::fs::write(&path, text(&schema)).with_context(|| format!("writing {}", path.display()))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
