import { expect, it } from "vitest";

import { paragraphsOf } from "./paragraphs";

it("joins lines that were wrapped, and begins a paragraph at every heading", () => {
  const summary = "Looks for: pods.\nUnsafe to fix when: a rollout\nis under way.\n\nNumbers: 300 s.\n";
  expect(paragraphsOf(summary)).toEqual([
    "Looks for: pods.",
    "Unsafe to fix when: a rollout is under way.",
    "Numbers: 300 s.",
  ]);
  expect(paragraphsOf("")).toEqual([]);
});
