import { describe, expect, it } from "vitest";

import { className, humanized, reasonText, shownAs, stageName, wordsOf, type Vocabulary } from "./labels";

describe("labels", () => {
  it("never show what is not known in green", () => {
    const doubtful: [Vocabulary, string | null][] = [
      ["state", "unknown"],
      ["outcome", "indeterminate"],
      ["outcome", "skipped"],
      ["level", "unknown"],
      ["cluster", "unknown"],
      ["verdict", "unknown"],
      ["source", "never"],
      ["pool", "unknown"],
      ["subject", "unknown"],
      ["job", "unknown"],
      ["state", null],
      ["state", "a word of tomorrow"],
    ];
    for (const [vocabulary, word] of doubtful) {
      expect(["purple", "grey"], `${vocabulary} ${word}`).toContain(shownAs(vocabulary, word).color);
    }
  });

  it("show a word of tomorrow as it is", () => {
    expect(shownAs("state", "half_asleep").text).toBe("Half asleep");
    // Not a word of ours, though every object has it.
    expect(shownAs("state", "constructor").text).toBe("Constructor");
  });

  it("offer the words of a filter in their order", () => {
    expect(wordsOf("cluster").map(({ value }) => value)).toEqual([
      "healthy",
      "warning",
      "critical",
      "unknown",
    ]);
  });

  it("name classes, stages and reasons in words", () => {
    expect(className("image_pull_backoff")).toBe("Image pull backoff");
    expect(className(null)).toBe("No class");
    expect(stageName("vm-runtime-ready")).toBe("VM runtime ready");
    expect(stageName("new-stage")).toBe("New stage");
    expect(reasonText("api_absent")).toBe("the cluster does not have this API");
    expect(reasonText(undefined)).toBe("no reason given");
    expect(humanized("")).toBe("Unknown");
  });
});
