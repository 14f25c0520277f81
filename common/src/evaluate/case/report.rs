//! What became of a suite, as JUnit XML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::report::xml;
use super::Flaw;
use super::runner::{Run, Tested};

/// One suite per file; a case that is not as expected is a failure, a file that is wrong is an error.
#[must_use]
pub fn junit(run: &Run) -> String {
    let mut files: BTreeMap<&str, (Vec<&Tested>, Vec<&Flaw>)> = BTreeMap::new();
    for tested in &run.tested {
        files.entry(&tested.file).or_default().0.push(tested);
    }
    for flaw in &run.flaws {
        files.entry(&flaw.file).or_default().1.push(flaw);
    }
    let (tests, errors) = (run.tested.len() + run.flaws.len(), run.flaws.len());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failures = run.failed();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<testsuites name=\"stargate rubric test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    );
    for (file, (tested, flaws)) in files {
        let failures = tested.iter().filter(|tested| !tested.mismatches.is_empty()).count();
        let (tests, errors, name) = (tested.len() + flaws.len(), flaws.len(), xml(file));
        let _ = writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\">"
        );
        for tested in tested {
            let details: Vec<String> = tested.mismatches.iter().map(ToString::to_string).collect();
            let inner = match details.as_slice() {
                [] => String::new(),
                [first, ..] => format!("<failure message=\"{}\">{}</failure>", xml(first), xml(&details.join("; "))),
            };
            let _ = writeln!(
                out,
                "    <testcase classname=\"{name}\" name=\"{}\">{inner}</testcase>",
                xml(&tested.title)
            );
        }
        for flaw in flaws {
            let place = format!("{}:{}", flaw.line, flaw.column);
            let _ = writeln!(
                out,
                "    <testcase classname=\"{name}\" name=\"{place}\"><error message=\"{}\"/></testcase>",
                xml(&flaw.detail)
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}
