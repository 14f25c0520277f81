//! What is known of a resource pool.

super::facts! {
    /// The facts of one pool.
    PoolFacts;
    minimum: i64, [Babylon], "How many unclaimed handles there should be (minAvailable).";
    usable: i64, [Babylon], "Unclaimed handles that can be handed out now: ready and not unhealthy.";
    available: i64, [Babylon], "Unclaimed handles that exist, in any condition.";
    unready: i64, [Babylon], "Unclaimed handles that cannot be handed out.";
    claimed: i64, [Babylon], "Handles of the pool that are claimed.";
    creation_disabled: bool, [Babylon], "Whether a provider of the pool is told to create nothing.";
    unusable_seconds: i64, [Babylon],
        "For how long nothing has been usable although handles exist, as far as samples tell; 0 when something is usable.";
    sessions: i64, [Labagator, Babylon], "Sessions, not over and not cancelled, of the labs that the pool serves.";
    next_session_in_seconds: i64, [Labagator, Babylon],
        "Seconds until the next of them begins; negative while it runs. Unknown when there is none.";
    velocity_per_hour: f64, [Babylon],
        "How fast usable handles become more (or fewer: negative), per hour; unknown with fewer than 6 samples or less than 1 h of them.";
    hours_to_empty: f64, [Babylon], "When nothing will be usable at that pace, in hours; unknown when the pool does not shrink.";
}
