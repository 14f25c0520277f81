//! What every StarGate binary shares: from collecting evidence to verifying actions.
