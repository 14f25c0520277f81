//! What a gate leaves behind for a pipeline: result files and a JUnit report.

use std::fs;
use std::path::Path;

use anyhow::Context;
use stargate_common::evaluate::gate::Results;
use stargate_common::evaluate::report::{ProblemReport, Report};

/// Writes each result into a file of its name, without a line break at the end: Tekton would make it part of the result.
pub(super) fn results(directory: &Path, results: &Results) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    for (name, text) in results.named() {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Writes the report as JUnit. Without a report the one case is an error that says why.
pub(super) fn junit(path: &Path, report: Option<&Report>, results: &Results) -> anyhow::Result<()> {
    let nothing = Report {
        clusters: Vec::new(),
        namespaces: Vec::new(),
        problems: vec![ProblemReport {
            file: "gate".to_owned(),
            detail: results.message.clone(),
        }],
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, report.unwrap_or(&nothing).junit()).with_context(|| format!("writing {}", path.display()))
}
