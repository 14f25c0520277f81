//! Connections to clusters: credentials from a directory of kubeconfigs or in-cluster, every request with a deadline.
