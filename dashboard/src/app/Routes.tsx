import { lazy } from "react";
import { Navigate, type RouteObject } from "react-router";

/** The whole site. Links are made by `to`, never by hand. */
export const paths = {
  overview: "/",
  clusters: "/clusters",
  cluster: "/clusters/:name",
  labs: "/labs",
  lab: "/labs/:code",
  instances: "/instances",
  instance: "/instances/:id",
  incidents: "/incidents",
  incident: "/incidents/:id",
  provisioning: "/provisioning",
  subject: "/provisioning/subjects/:uid",
  pool: "/provisioning/pools/:name",
  recommendations: "/recommendations",
  recommendation: "/recommendations/:id",
  settings: "/settings",
  search: "/search",
} as const;

type Filters = Record<string, string | readonly string[] | undefined>;

/** A path with its filters: `withQuery(paths.labs, { state: "failing" })`. */
export function withQuery(path: string, filters: Filters = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) {
    const words = value === undefined ? [] : typeof value === "string" ? [value] : value;
    for (const word of words) params.append(name, word);
  }
  const query = params.toString();
  return query === "" ? path : `${path}?${query}`;
}

const fill = (path: string, key: string) => path.replace(/:\w+/, encodeURIComponent(key));

/** Where things are. */
export const to = {
  cluster: (name: string, filters?: Filters) => withQuery(fill(paths.cluster, name), filters),
  lab: (code: string, filters?: Filters) => withQuery(fill(paths.lab, code), filters),
  instance: (id: string) => fill(paths.instance, id),
  incident: (id: string) => fill(paths.incident, id),
  subject: (uid: string) => fill(paths.subject, uid),
  pool: (name: string) => fill(paths.pool, name),
  recommendation: (id: string) => fill(paths.recommendation, id),
  provisioning: (tab: "subjects" | "pools" | "jobs" | "sessions", filters?: Filters) =>
    withQuery(paths.provisioning, { tab, ...filters }),
  settings: (tab: string) => withQuery(paths.settings, { tab }),
  search: (q: string) => withQuery(paths.search, { q }),
};

/** Where a search hit leads. A kind that is not known here leads to the search page. */
export function pathOfHit(hit: { kind: string; key: string }): string {
  switch (hit.kind) {
    case "cluster":
      return to.cluster(hit.key);
    case "lab":
      return to.lab(hit.key);
    case "instance":
      return to.instance(hit.key);
    case "failure-class":
      return withQuery(paths.incidents, { class: hit.key });
    default:
      return to.search(hit.key);
  }
}

const Overview = lazy(() => import("@app/pages/overview/overview"));
const ClusterList = lazy(() => import("@app/pages/cluster-list/cluster-list"));
const ClusterDetails = lazy(() => import("@app/pages/cluster-details/cluster-details"));
const LabList = lazy(() => import("@app/pages/lab-list/lab-list"));
const LabDetails = lazy(() => import("@app/pages/lab-details/lab-details"));
const InstanceList = lazy(() => import("@app/pages/instance-list/instance-list"));
const InstanceDetails = lazy(() => import("@app/pages/instance-details/instance-details"));
const IncidentList = lazy(() => import("@app/pages/incident-list/incident-list"));
const IncidentDetails = lazy(() => import("@app/pages/incident-details/incident-details"));
const Provisioning = lazy(() => import("@app/pages/provisioning/provisioning"));
const SubjectDetails = lazy(() => import("@app/pages/subject-details/subject-details"));
const PoolDetails = lazy(() => import("@app/pages/pool-details/pool-details"));
const RecommendationList = lazy(() => import("@app/pages/recommendation-list/recommendation-list"));
const RecommendationDetails = lazy(() => import("@app/pages/recommendation-details/recommendation-details"));
const Settings = lazy(() => import("@app/pages/settings/settings"));
const Search = lazy(() => import("@app/pages/search/search"));
const NotFound = lazy(() => import("@app/pages/not-found/not-found"));

/** The pages, inside the frame that main.tsx puts around them. */
export const pages: RouteObject[] = [
  { path: paths.overview, element: <Overview /> },
  { path: "/overview", element: <Navigate to={paths.overview} replace /> },
  { path: paths.clusters, element: <ClusterList /> },
  { path: paths.cluster, element: <ClusterDetails /> },
  { path: paths.labs, element: <LabList /> },
  { path: paths.lab, element: <LabDetails /> },
  { path: paths.instances, element: <InstanceList /> },
  { path: paths.instance, element: <InstanceDetails /> },
  { path: paths.incidents, element: <IncidentList /> },
  { path: paths.incident, element: <IncidentDetails /> },
  { path: paths.provisioning, element: <Provisioning /> },
  { path: paths.subject, element: <SubjectDetails /> },
  { path: paths.pool, element: <PoolDetails /> },
  { path: paths.recommendations, element: <RecommendationList /> },
  { path: paths.recommendation, element: <RecommendationDetails /> },
  { path: paths.settings, element: <Settings /> },
  { path: paths.search, element: <Search /> },
  { path: "*", element: <NotFound /> },
];
