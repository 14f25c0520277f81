//! A directory of rubrics that changes, breaks, goes away and comes back: judging goes on by what was sound last.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::TimeDelta;

use super::*;

const FILE: &str = "deployment-ready/rubric.yaml";

/// A folder of its own for each test, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("stargate-rubrics-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// The shipped rubrics in a folder below.
    fn shipped(&self, name: &str) -> PathBuf {
        let to = self.0.join(name);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rubrics"), &to);
        to
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            if !from.ends_with("cases") {
                copy(&from, &to);
            }
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

fn change(dir: &Path, from: &str, to: &str) {
    let path = dir.join(FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{FILE} has no {from:?}");
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
}

fn start(dir: &Path) -> anyhow::Result<Rubrics> {
    let settings = Settings {
        rubrics_dir: Some(dir.to_owned()),
    };
    Rubrics::start(&settings, at(0))
}

fn severity(set: &RubricSet) -> u8 {
    set.severity("pods_crashlooping").unwrap()
}

#[test]
fn the_built_in_rubrics_are_no_source() {
    let rubrics = Rubrics::start(&Settings::default(), at(0)).unwrap();
    assert_eq!(rubrics.status(), None);
    assert_eq!(rubrics.current(at(1)).version, RubricSet::embedded().unwrap().version);
}

#[test]
fn a_change_is_in_use_with_the_next_evaluation() {
    let folder = Folder::new();
    let dir = folder.shipped("rubrics");
    let rubrics = start(&dir).unwrap();
    let before = rubrics.current(at(1));
    assert_eq!(before.version, RubricSet::embedded().unwrap().version);
    change(&dir, "severity: 8", "severity: 9");
    let after = rubrics.current(at(2));
    assert_eq!((severity(&before), severity(&after)), (8, 9));
    assert_ne!(before.version, after.version);
    assert!(Arc::ptr_eq(&after, &rubrics.current(at(3))), "nothing is parsed again");
    let status = rubrics.status().unwrap();
    assert_eq!((status.success_at, status.error), (Some(at(3)), None));
}

#[test]
fn a_broken_set_changes_nothing_until_it_is_repaired() {
    let folder = Folder::new();
    let dir = folder.shipped("rubrics");
    let rubrics = start(&dir).unwrap();
    let good = rubrics.current(at(1));

    change(&dir, "no_crashloop_pods == false", "no_crashlop_pods == false");
    for minute in 2..5 {
        assert!(Arc::ptr_eq(&good, &rubrics.current(at(minute))));
    }
    let status = rubrics.status().unwrap();
    assert_eq!(status.success_at, Some(at(1)), "when it was sound last");
    let error = status.error.unwrap();
    assert!(error.contains(&format!("{FILE}:")) && error.contains("no_crashlop_pods"), "{error}");
    assert!(
        error.contains(&format!("by version {}, the last good one", good.version)),
        "{error}"
    );
    assert_eq!(status.findings.len(), 1);

    // Another mistake is another problem.
    change(&dir, "severity: 8", "severity: 80");
    assert!(Arc::ptr_eq(&good, &rubrics.current(at(5))));
    assert!(rubrics.status().unwrap().findings.len() > 1);

    change(&dir, "no_crashlop_pods == false", "no_crashloop_pods == false");
    change(&dir, "severity: 80", "severity: 7");
    let repaired = rubrics.current(at(6));
    assert_eq!(severity(&repaired), 7);
    let status = rubrics.status().unwrap();
    assert_eq!((status.success_at, status.error, status.findings.len()), (Some(at(6)), None, 0));
}

#[test]
fn undoing_a_mistake_brings_the_same_set_back() {
    let folder = Folder::new();
    let dir = folder.shipped("rubrics");
    let rubrics = start(&dir).unwrap();
    let good = rubrics.current(at(1));
    change(&dir, "severity: 8", "severity: eight");
    rubrics.current(at(2));
    assert!(rubrics.status().unwrap().error.is_some());
    change(&dir, "severity: eight", "severity: 8");
    assert!(Arc::ptr_eq(&good, &rubrics.current(at(3))), "what is in use is not parsed again");
    assert_eq!(rubrics.status().unwrap().error, None);
}

#[test]
fn what_is_deleted_is_kept_in_use() {
    let folder = Folder::new();
    let dir = folder.shipped("rubrics");
    let rubrics = start(&dir).unwrap();
    let good = rubrics.current(at(1));

    std::fs::remove_file(dir.join(FILE)).unwrap();
    assert!(Arc::ptr_eq(&good, &rubrics.current(at(2))));
    let findings = rubrics.status().unwrap().findings;
    assert!(
        findings.iter().any(|finding| finding.contains("the rubric is missing")),
        "{findings:?}"
    );

    std::fs::remove_dir_all(&dir).unwrap();
    assert!(Arc::ptr_eq(&good, &rubrics.current(at(3))));
    let error = rubrics.status().unwrap().error.unwrap();
    assert!(error.contains(dir.to_str().unwrap()), "{error}");

    folder.shipped("rubrics");
    assert_eq!(rubrics.current(at(4)).version, good.version);
    assert_eq!(rubrics.status().unwrap().error, None);
}

#[test]
fn a_file_that_is_half_written_waits() {
    let folder = Folder::new();
    let dir = folder.shipped("rubrics");
    let rubrics = start(&dir).unwrap();
    let good = rubrics.current(at(1));
    let whole = std::fs::read_to_string(dir.join(FILE)).unwrap();
    std::fs::write(dir.join(FILE), &whole[..whole.len() / 2]).unwrap();
    assert!(Arc::ptr_eq(&good, &rubrics.current(at(2))), "half a file is no rubric");
    std::fs::write(dir.join(FILE), whole.replacen("severity: 8", "severity: 9", 1)).unwrap();
    assert_eq!(severity(&rubrics.current(at(3))), 9);
}

#[test]
fn files_that_change_between_two_looks_are_not_taken() {
    let folder = Folder::new();
    let dir = folder.shipped("rubrics");
    let rubrics = start(&dir).unwrap();
    let good = rubrics.current(at(1));
    change(&dir, "severity: 8", "severity: 9");
    let first = Texts::read(&dir).unwrap();
    change(&dir, "severity: 9", "severity: 6");
    let mut state = rubrics.state.lock().unwrap();
    state.look_at(&first, || Texts::read(&dir), at(2));
    assert!(Arc::ptr_eq(&good, &state.good), "neither the one nor the other");
    assert_eq!(state.problem, None);
    drop(state);
    assert_eq!(severity(&rubrics.current(at(3))), 6);
}

/// As the kubelet updates a mounted ConfigMap: each entry is a link through `..data`, and that link is swapped.
#[cfg(unix)]
#[test]
fn a_mounted_config_map_is_followed_through_its_links() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let mount = folder.0.join("mount");
    std::fs::create_dir(&mount).unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rubrics"), &mount.join("..1"));
    symlink("..1", mount.join("..data")).unwrap();
    for entry in std::fs::read_dir(mount.join("..1")).unwrap() {
        let name = entry.unwrap().file_name();
        symlink(Path::new("..data").join(&name), mount.join(&name)).unwrap();
    }
    let rubrics = start(&mount).unwrap();
    assert_eq!(rubrics.current(at(1)).version, RubricSet::embedded().unwrap().version);

    copy(&mount.join("..1"), &mount.join("..2"));
    change(&mount.join("..2"), "severity: 8", "severity: 9");
    assert_eq!(severity(&rubrics.current(at(2))), 8, "not swapped yet");
    symlink("..2", mount.join("..data_tmp")).unwrap();
    std::fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    std::fs::remove_dir_all(mount.join("..1")).unwrap();
    assert_eq!(severity(&rubrics.current(at(3))), 9);
    assert_eq!(rubrics.status().unwrap().error, None);
}

#[test]
fn a_broken_directory_at_the_start_is_a_wrong_setting() {
    let folder = Folder::new();
    let dir = folder.shipped("rubrics");
    change(&dir, "severity: 8", "severity: 80");
    for dir in [dir, folder.0.join("nowhere")] {
        let error = start(&dir).expect_err("nothing is in use that could be kept");
        let SettingsError::Wrong(line) = error.downcast::<SettingsError>().unwrap() else {
            panic!("not a wrong setting");
        };
        assert!(line.starts_with(&format!("STARGATE_RUBRICS_DIR is {}", dir.display())), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}
