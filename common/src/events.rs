//! Every CloudEvent that StarGate emits or consumes, and the way they travel.
