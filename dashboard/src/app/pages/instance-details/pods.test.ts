import { describe, expect, it } from "vitest";

import { isTroubled, podsOf } from "./pods";

const pulling = {
  metadata: { name: "api-lcnvg8t9lb-xzm8p", creationTimestamp: "2026-11-23T22:34:23Z" },
  spec: { nodeName: "worker-22.cnv-east-1.example.test" },
  status: {
    conditions: [
      { type: "Ready", status: "False", reason: "ContainersNotReady" },
      { type: "PodScheduled", status: "True" },
    ],
    containerStatuses: [
      {
        name: "api",
        restartCount: 0,
        state: { waiting: { reason: "ImagePullBackOff", message: "manifest unknown" } },
      },
    ],
    phase: "Pending",
  },
};

const running = {
  metadata: { name: "web-1" },
  status: { conditions: [{ type: "Ready", status: "True" }], phase: "Running" },
};

describe("podsOf", () => {
  it("puts the pod that does not run first, with the container's own reason", () => {
    const [first, second] = podsOf([running, pulling]);
    expect(first).toEqual({
      name: "api-lcnvg8t9lb-xzm8p",
      node: "worker-22.cnv-east-1.example.test",
      ready: false,
      status: "ImagePullBackOff",
      message: "manifest unknown",
      restarts: 0,
      createdAt: "2026-11-23T22:34:23Z",
    });
    expect(second?.status).toBe("Running");
    expect(second?.ready).toBe(true);
  });

  it("says why a pod is on no node", () => {
    const pod = {
      metadata: { name: "vm-1" },
      status: {
        phase: "Pending",
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/15 nodes are available",
          },
        ],
      },
    };
    expect(podsOf([pod])[0]).toMatchObject({
      status: "Unschedulable",
      message: "0/15 nodes are available",
      node: null,
    });
  });

  it("adds up the restarts of all containers", () => {
    const pod = {
      metadata: { name: "a" },
      status: {
        containerStatuses: [{ restartCount: 3 }, { restartCount: 4 }],
        initContainerStatuses: [{ restartCount: 1 }],
      },
    };
    expect(podsOf([pod])[0]?.restarts).toBe(8);
  });

  it("takes a finished pod for well and one it knows nothing of for troubled", () => {
    const done = {
      metadata: { name: "job" },
      status: { phase: "Succeeded", conditions: [{ type: "Ready", status: "False" }] },
    };
    expect(podsOf([done]).map(isTroubled)).toEqual([false]);
    expect(podsOf([{}])).toMatchObject([{ name: "unnamed", ready: null, status: "Unknown" }]);
    expect(podsOf([{}]).map(isTroubled)).toEqual([true]);
  });
});
