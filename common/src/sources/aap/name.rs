//! What the name of a job tells: `<organization> <action name> <uuid>`, where the action name is
//! `<subject>-<action>-<suffix>` and is cut for long subjects, so that it may end in `-provi…`. Source: rhdp-contracts 5.4.

use uuid::Uuid;

use crate::provisioning::job::Phase;

/// Actions that a name may hold.
const ACTIONS: [(&str, Phase); 5] = [
    ("provision", Phase::Provision),
    ("destroy", Phase::Destroy),
    ("start", Phase::Start),
    ("stop", Phase::Stop),
    ("status", Phase::Status),
];
/// Letters of a cut action that are enough: `sta` may still be two, and fewer may be the start of a guid.
const ENOUGH: usize = 3;

/// The UUID at the end of the name, in lower case; empty without one.
#[must_use]
pub fn service_uuid(name: &str) -> String {
    uuid_of(name).map(|uuid| uuid.to_string()).unwrap_or_default()
}

/// What the job was started for: the name of the subject with what follows it, which begins with that of the catalog item. None: the name
/// is of another make.
#[must_use]
pub fn subject(name: &str) -> Option<&str> {
    uuid_of(name).and_then(|_| name.split_whitespace().nth_back(1))
}

fn uuid_of(name: &str) -> Option<Uuid> {
    let last = name.split_whitespace().next_back()?;
    // 36: with hyphens. A bare row of 32 digits is no UUID as the governor writes it.
    (last.len() == 36).then(|| Uuid::try_parse(last).ok()).flatten()
}

/// What the job does: by the action in its name, and where that is cut too short, by its playbook.
#[must_use]
pub fn phase(name: &str, playbook: &str) -> Phase {
    subject(name).and_then(of_action).unwrap_or_else(|| of_playbook(playbook))
}

fn of_action(action: &str) -> Option<Phase> {
    let (kept, cut) = match action.strip_suffix('…').or_else(|| action.strip_suffix("...")) {
        Some(kept) => (kept, true),
        None => (action, false),
    };
    let mut segments = kept.rsplit('-');
    let (last, before) = (segments.next()?, segments.next());
    let exact = |word: &str| ACTIONS.iter().find(|(name, _)| *name == word).map(|(_, phase)| *phase);
    // The suffix, or what is left of it, follows the action.
    if let Some(phase) = before.and_then(exact) {
        return Some(phase);
    }
    if !cut || before.is_none() || last.len() < ENOUGH {
        return None;
    }
    let mut meant = ACTIONS.iter().filter(|(name, _)| name.starts_with(last));
    match (meant.next(), meant.next()) {
        (Some((_, phase)), None) => Some(*phase),
        _ => None,
    }
}

/// Defaults of the governor; items may have others. The playbook of start, stop and status is one and the same.
fn of_playbook(playbook: &str) -> Phase {
    match playbook.rsplit('/').next() {
        Some("main.yml" | "main.yaml") => Phase::Provision,
        Some("destroy.yml" | "destroy.yaml") => Phase::Destroy,
        _ => Phase::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3f0c2f5e-7a41-5d1b-9a57-6f1d0c9be201";

    #[test]
    fn the_action_stands_before_the_suffix_or_is_cut() {
        let cases = [
            ("acme-labs.mesh-starter.event-k7m2q-provision-8fj2", "", Phase::Provision),
            ("acme-labs.mesh-starter.event-k7m2q-1-destroy-x", "", Phase::Destroy),
            ("acme-labs.provision-course.event-k7m2q-stop-8fj2", "ansible/main.yml", Phase::Stop),
            ("acme-labs.mesh-starter.event-k7m2q-provi…", "", Phase::Provision),
            ("acme-labs.mesh-starter.event-k7m2q-provision-8…", "", Phase::Provision),
            ("acme-labs.mesh-starter.event-k7m2q-provision…", "", Phase::Provision),
            ("acme-labs.mesh-starter.event-k7m2q-des...", "", Phase::Destroy),
            // Two actions begin so; one letter may be a guid.
            (
                "acme-labs.mesh-starter.event-k7m2q-sta…",
                "ansible/lifecycle_entry_point.yml",
                Phase::Other,
            ),
            ("acme-labs.mesh-starter.event-d…", "ansible/main.yml", Phase::Provision),
            ("acme-labs.mesh-starter.ev…", "ansible/destroy.yml", Phase::Destroy),
            ("acme-labs.mesh-starter.ev…", "playbooks/own.yml", Phase::Other),
            // A subject whose guid is a word of ours is not cut: the word is no action.
            ("acme-labs.mesh-starter.event-start", "ansible/main.yml", Phase::Provision),
        ];
        for (action, playbook, expected) in cases {
            let name = format!("acme org {action} {UUID}");
            assert_eq!(phase(&name, playbook), expected, "{name}");
        }
    }

    #[test]
    fn a_name_of_another_make_says_nothing() {
        assert_eq!(phase("Nightly provision of the mirror", ""), Phase::Other);
        assert_eq!(phase("", ""), Phase::Other);
        assert_eq!(phase("a-provision-b", "x/destroy.yml"), Phase::Destroy);
    }

    #[test]
    fn the_uuid_is_the_last_word() {
        assert_eq!(service_uuid(&format!("acme-org x-provi… {}", UUID.to_uppercase())), UUID);
        assert_eq!(service_uuid(&format!("{UUID} x")), "");
        assert_eq!(service_uuid("acme-org x 3f0c2f5e7a415d1b9a576f1d0c9be201"), "");
        assert_eq!(service_uuid(""), "");
    }
}
