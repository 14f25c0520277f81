import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";

import { get } from "@app/client/api";
import type { Answer, Query } from "@app/client/types";

// The worked example of a domain's queries: a root key, a hook per operation, nothing else. Filters are part of the key, as
// they are of the address; while the next page is on its way, the one before stays.

export const CLUSTERS = "clusters";

type List = "/api/v1/clusters";
type One = "/api/v1/clusters/{name}";
type Nodes = "/api/v1/clusters/{name}/nodes";

export function useClusters(query: Query<List>): UseQueryResult<Answer<List>> {
  return useQuery({
    queryKey: [CLUSTERS, "list", query],
    queryFn: ({ signal }) => get("/api/v1/clusters", { query, signal }),
    placeholderData: keepPreviousData,
  });
}

export function useCluster(name: string): UseQueryResult<Answer<One>> {
  return useQuery({
    queryKey: [CLUSTERS, "one", name],
    queryFn: ({ signal }) => get("/api/v1/clusters/{name}", { path: { name }, signal }),
  });
}

export function useClusterNodes(name: string, query: Query<Nodes>): UseQueryResult<Answer<Nodes>> {
  return useQuery({
    queryKey: [CLUSTERS, "nodes", name, query],
    queryFn: ({ signal }) => get("/api/v1/clusters/{name}/nodes", { path: { name }, query, signal }),
    placeholderData: keepPreviousData,
  });
}

type Scans = "/api/v1/scans";
type Instances = "/api/v1/instances";

export function useClusterScans(name: string, query: Query<Scans>): UseQueryResult<Answer<Scans>> {
  return useQuery({
    queryKey: ["scans", "of", name, query],
    queryFn: ({ signal }) => get("/api/v1/scans", { query: { ...query, cluster: [name] }, signal }),
    placeholderData: keepPreviousData,
  });
}

/** The instances on a cluster. */
export function useClusterInstances(
  name: string,
  query: Query<Instances>,
): UseQueryResult<Answer<Instances>> {
  return useQuery({
    queryKey: ["instances", "on", name, query],
    queryFn: ({ signal }) => get("/api/v1/instances", { query: { ...query, cluster: [name] }, signal }),
    placeholderData: keepPreviousData,
  });
}
