//! How a function, a job or a server starts, reports and stops.
