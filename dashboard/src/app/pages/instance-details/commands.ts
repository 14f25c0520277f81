import type { StageRow, WhyAnswer } from "@app/queries/instances";

type SubjectRow = WhyAnswer["subjects"][number];

/** A command that a person may run to look further. It changes nothing. */
export type Command = {
  /** What it shows. */
  purpose: string;
  /** The command line. */
  command: string;
  /** Where it runs. */
  where: string;
};

/** Names that can stand in a shell's command line as they are. Kubernetes allows no others. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** What `oc` calls the kinds that live in a lab's namespace. */
const NAMESPACED: Readonly<Record<string, string>> = {
  ConfigMap: "configmap",
  CronJob: "cronjob",
  DaemonSet: "daemonset",
  DataVolume: "datavolume",
  Deployment: "deployment",
  DeploymentConfig: "deploymentconfig",
  InferenceService: "inferenceservice",
  Ingress: "ingress",
  Job: "job",
  PersistentVolumeClaim: "pvc",
  Pod: "pod",
  ReplicaSet: "replicaset",
  ResourceQuota: "resourcequota",
  Route: "route",
  Service: "service",
  StatefulSet: "statefulset",
  VirtualMachine: "vm",
  VirtualMachineInstance: "vmi",
};

/** Kinds whose log says why they do not run. */
const LOGGED = new Set(["Pod", "Job"]);

/** At most so many: a person reads from the top. */
const MOST = 8;

/** Read-only commands for what fails in an instance, the first failing stage first. */
export function commandsFor(
  instance: { namespace: string; cluster: string },
  stages: readonly StageRow[],
  subjects: readonly SubjectRow[],
): Command[] {
  const { namespace, cluster } = instance;
  if (!NAME.test(namespace)) return [];
  const found = new Map<string, Command>();
  const add = (purpose: string, command: string, where: string) => {
    if (!found.has(command)) found.set(command, { purpose, command, where });
  };
  const troubled = stages.filter((stage) => stage.outcome === "fail" || stage.outcome === "warn");
  const blamed = troubled.flatMap(({ criteria }) => criteria).filter(({ value }) => value === false);
  for (const member of blamed.flatMap(({ failing }) => failing)) {
    const kind = NAMESPACED[member.kind];
    if (!NAME.test(member.name)) continue;
    if (kind !== undefined) {
      add(`${member.kind} ${member.name}`, `oc -n ${namespace} describe ${kind}/${member.name}`, cluster);
      if (LOGGED.has(member.kind)) {
        add(
          `Last log lines of ${member.name}`,
          `oc -n ${namespace} logs ${kind}/${member.name} --all-containers --tail=100`,
          cluster,
        );
      }
    } else if (member.kind === "Node") {
      add(`Node ${member.name}`, `oc describe node/${member.name}`, cluster);
    } else if (member.kind === "AnarchySubject") {
      const subject = subjects.find((one) => one.name === member.name);
      if (subject === undefined || !NAME.test(subject.namespace)) continue;
      add(
        `Subject ${member.name}`,
        `oc -n ${subject.namespace} describe anarchysubject/${member.name}`,
        "the Babylon control plane",
      );
    }
  }
  const general: Command[] = [
    { purpose: "Pods and where they run", command: `oc -n ${namespace} get pods -o wide`, where: cluster },
    {
      purpose: "Events, newest last",
      command: `oc -n ${namespace} get events --sort-by=.lastTimestamp`,
      where: cluster,
    },
  ];
  return [...[...found.values()].slice(0, MOST - general.length), ...general];
}
