//! Demolition: sessions of simulated learners. Source: rhdp-contracts 6.2.

use serde_json::{Value, json};

use super::{Ask, Reply};
use crate::story::{Story, smoke::Smoke};

pub(super) fn answer(story: &Story, ask: &Ask) -> Reply {
    match ask.parts().as_slice() {
        ["integration", "sessions"] => Reply::ok(story.smoke().iter().map(session).collect()),
        ["integration", "sessions", id, "status"] => {
            let wanted = id.parse::<i64>().ok();
            match story.smoke().iter().find(|smoke| Some(smoke.id) == wanted) {
                Some(smoke) => Reply::ok(
                    json!({"session_id": smoke.id, "run": session(smoke), "log_tail": "logged in with password planted-password-walker"}),
                ),
                None => Reply::json(404, json!({"detail": "Session not found"})),
            }
        }
        ["health"] => Reply::ok(json!({"status": "ok"})),
        _ => Reply::json(404, json!({"detail": "Not Found"})),
    }
}

fn session(smoke: &Smoke) -> Value {
    let result = smoke
        .result
        .map(|(total, completed, failed)| json!({"total": total, "completed": completed, "failed": failed}));
    // Addresses that people paste carry what they were signed in with.
    let url = if smoke.url.is_empty() {
        String::new()
    } else {
        format!("{}?token=planted-token-walker", smoke.url)
    };
    json!({"id": smoke.id, "name": smoke.name, "status": smoke.status, "worker_count": smoke.workers, "workshop_url": url, "last_result": result,
        "credentials": {"username": "walker@people.example.test", "password": "planted-password-walker"}})
}
