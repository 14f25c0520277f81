//! The first files of a new rubric: valid, and with cases that fail until somebody has said what they must show.

use crate::evidence;
use crate::stage::Stage;

/// A file to write: its path in the rubric set, its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaffold {
    /// Path relative to the set.
    pub path: String,
    /// Content.
    pub text: String,
}

/// What every scaffolded case begins with.
const EDIT: &str = "# Fails until you edit it: write what was found, and what must come out. `stargate rubric test` says what is.\n";

/// The rubric of a stage, with a case each that passes, fails and cannot tell.
#[must_use]
pub fn stage(stage: Stage) -> Vec<Scaffold> {
    let criterion = evidence::names(stage).first().copied().unwrap_or_default();
    let class = stage.as_str().replace('-', "_") + "_not_met";
    let rubric = format!(
        "id: {stage}
version: 0.1.0
stage: {stage}
summary: |
  Looks for: what this stage must show.
  Why: what goes wrong for learners when it does not.
  Unsafe to fix when: what a fix could break.
  Numbers: where the limits come from.
exit_criteria:
  - name: {criterion}
    description: What must hold, in one sentence.
failure_classes:
  {class}:
    title: A few words for a heading
    description: What an operator should know; what it means, usual causes, what to look at.
    when: [{criterion} == false]
    severity: 5
    grade: failure
    area: workload
"
    );
    let case = |title: &str, given: &str, expected: &str| {
        format!("{EDIT}title: {title}\nevidence:\n  {stage}: {{{criterion}: {given}}}\nexpect:\n  {stage}: {{{expected}}}\n")
    };
    let file = |name: &str, text: String| Scaffold {
        path: format!("{stage}/{name}"),
        text,
    };
    vec![
        file("rubric.yaml", rubric),
        file(
            "cases/passes.yaml",
            case("Everything is as it must be", "{unknown: not_collected}", "outcome: pass"),
        ),
        file(
            "cases/fails.yaml",
            case("Something is broken", "true", &format!("outcome: fail, class: {class}")),
        ),
        file(
            "cases/unknown.yaml",
            case("Nobody can tell", "false", "outcome: indeterminate, reason: not_collected"),
        ),
    ]
}

/// The rubric of a lab, which adds to a stage, with a case each that passes, fails and cannot tell.
#[must_use]
pub fn lab(name: &str, stage: Stage) -> Vec<Scaffold> {
    let id = name.replace('-', "_");
    let rubric = format!(
        "id: {name}
version: 0.1.0
extends: {stage}
summary: |
  Looks for: what this lab must show beyond the stage.
  Why: what goes wrong for learners when it does not.
  Unsafe to fix when: what a fix could break.
  Numbers: where the limits come from.
applies_to:
  catalog_items: ['account.{name}.*']
exit_criteria:
  - name: {id}_ready
    description: The Deployment `edit-me` is there. See `stargate rubric explain evidence` for what can be asked.
    expr: deployments.exists(d, d.name == 'edit-me')
failure_classes:
  {id}_not_ready:
    title: A few words for a heading
    description: What an operator should know; what it means, usual causes, what to look at.
    when: [{id}_ready == false]
    severity: 5
    grade: failure
    area: application
"
    );
    let case = |title: &str, given: &str, expected: &str| {
        format!(
            "{EDIT}title: {title}
namespace: sandbox-q7f2k-lab
declared: {{catalog_item: account.{name}.prod, kind: container}}
{given}expect:
  {stage}: {{{expected}, criteria: {{{id}_ready: true}}}}
"
        )
    };
    let deployment = |name: &str| {
        format!(
            "resources:
  - {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{replicas: 1}}, status: {{replicas: 1, readyReplicas: 1}}}}
"
        )
    };
    let file = |path: &str, text: String| Scaffold {
        path: format!("labs/{name}/{path}"),
        text,
    };
    vec![
        file("rubric.yaml", rubric),
        file(
            "cases/passes.yaml",
            case("The lab has what it needs", &deployment("web"), "outcome: pass"),
        ),
        file(
            "cases/fails.yaml",
            case(
                "The lab lacks what it needs",
                &deployment("edit-me"),
                &format!("outcome: fail, class: {id}_not_ready"),
            ),
        ),
        file(
            "cases/unknown.yaml",
            case(
                "Nobody can tell",
                &deployment("edit-me"),
                "outcome: indeterminate, reason: forbidden",
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::case::runner::run_suite;
    use crate::evaluate::case::suite;
    use crate::evaluate::rubric::RubricSet;

    /// The built-in set, with one rubric new.
    fn set_with(scaffold: &[Scaffold], directory: &std::path::Path) -> RubricSet {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rubrics");
        copy(&source, directory);
        for file in scaffold {
            let path = directory.join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &file.text).unwrap();
        }
        RubricSet::from_dir(directory).unwrap_or_else(|error| panic!("{error}"))
    }

    fn copy(from: &std::path::Path, to: &std::path::Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap().path();
            let name = entry.file_name().unwrap();
            if entry.is_dir() {
                copy(&entry, &to.join(name));
            } else if name != "passes.yaml" {
                std::fs::copy(&entry, to.join(name)).unwrap();
            }
        }
    }

    #[test]
    fn a_new_rubric_is_right_and_its_cases_fail_until_they_are_edited() {
        // A stage whose classes no other stage, and no sub-class, is told by.
        fails(&stage(Stage::RunCreated), "stage");
    }

    #[test]
    fn a_new_lab_is_right_and_its_cases_fail_until_they_are_edited() {
        fails(&lab("my-lab", Stage::DeploymentReady), "lab");
    }

    fn fails(new: &[Scaffold], name: &str) {
        let directory = std::env::temp_dir().join(format!("stargate-scaffold-{name}-{}", std::process::id()));
        let rubrics = set_with(new, &directory);
        let mut files: Vec<std::path::PathBuf> = new.iter().map(|file| directory.join(&file.path)).collect();
        files.retain(|file| !file.ends_with("rubric.yaml"));
        let run = run_suite(&rubrics, &suite::find(&files).unwrap(), &|_| true);
        std::fs::remove_dir_all(&directory).ok();
        assert_eq!((run.flaws.len(), run.passed(), run.failed()), (0, 0, 3), "{:?}", run.flaws);
    }
}
