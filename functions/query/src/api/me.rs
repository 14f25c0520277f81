//! Who the asker is to this interface.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::QueryState;
use crate::access::LabScope;
use crate::access::identity::Via;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::params::NoParams;
use crate::problem::ApiError;

/// Who you are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Me {
    /// Your user name, or `key:` and the name of the key.
    #[schema(example = "alice")]
    pub subject: String,
    /// Your name, for people.
    pub display_name: String,
    /// What you may do: `viewer`, `developer`, `team_lead`, `operator`, `approver`, `admin`, `service`.
    pub roles: Vec<String>,
    /// Codes and globs of the labs you see; null when you see all.
    pub lab_scope: Option<Vec<String>>,
    /// Whether nobody signed in because the fleet is a simulated one.
    pub demo: bool,
    /// Where you sign out; null when you did not sign in through a proxy.
    #[schema(example = "/oauth/sign_out")]
    pub sign_out_url: Option<String>,
    /// The event that is under way.
    pub event: Event,
    /// What this build and your roles let you do.
    pub features: Features,
}

/// The event that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Event {
    /// The time zone that people there live in, by its IANA name.
    #[schema(example = "America/Phoenix")]
    pub time_zone: String,
    /// What its pools, catalog items and labs begin with; null in continuous operation.
    pub prefix: Option<String>,
}

impl Default for Event {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            prefix: None,
        }
    }
}

/// What this build and the asker's roles let him do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Features {
    /// Live updates at `/api/v1/stream`.
    pub live_updates: bool,
    /// Whether what belongs to no lab is shown: numbers are of the whole fleet.
    pub whole_fleet: bool,
}

/// Who you are here.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/me", operation_id = "getMe", tag = "interface",
    responses((status = 200, description = "You", body = One<Me>)))]
pub async fn get(State(app): State<QueryState>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    // Nothing of it stands in the database, so it is told even while that is away.
    let basis = Basis::of_nothing(ask.now);
    let who = &ask.identity;
    ask.one(&basis, Scope::Nothing, async || {
        Ok(Me {
            subject: who.subject.clone(),
            display_name: who.display_name.clone(),
            roles: who.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            lab_scope: match &who.scope {
                LabScope::All => None,
                LabScope::Only(labs) => Some(labs.iter().cloned().collect()),
            },
            demo: who.via == Via::Demo,
            sign_out_url: app.guard.sign_out(who).map(str::to_owned),
            event: app.event.clone(),
            features: Features {
                live_updates: true,
                whole_fleet: who.scope == LabScope::All,
            },
        })
    })
    .await
}
