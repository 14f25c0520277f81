import { useQuery } from "@tanstack/react-query";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import { ApiProblem } from "@app/client/problem";
import type { Meta } from "@app/client/types";
import { renderAt } from "@test/render";

import { Loaded } from "./loaded";
import { coverageText, staleText } from "./meta-notes";

const META: Meta = { as_of: null, request_id: "r", sources: [], partial: false };

type Answer = { data: string[]; meta: Meta };

function List({
  read,
  clear,
  isFiltered = false,
}: {
  read: () => Promise<Answer>;
  clear?: () => void;
  isFiltered?: boolean;
}) {
  const query = useQuery({ queryKey: ["things"], queryFn: read });
  return (
    <Loaded
      query={query}
      empty={{ title: "No things", reason: "Nobody made any." }}
      filter={{ isFiltered, clear: clear ?? (() => undefined) }}
    >
      {({ data }) => <p>{data.join(", ")}</p>}
    </Loaded>
  );
}

describe("Loaded", () => {
  it("shows that something is on its way, then that it is there", async () => {
    let arrive: (answer: Answer) => void = () => undefined;
    renderAt(<List read={() => new Promise((resolve) => (arrive = resolve))} />);
    expect(screen.getByText("Loading")).toBeInTheDocument();
    arrive({ data: ["one", "two"], meta: META });
    expect(await screen.findByText("one, two")).toBeInTheDocument();
  });

  it("shows the server's words, the request's id, and tries again", async () => {
    const gone = new ApiProblem({ status: 503, title: "Away", detail: "back soon", request_id: "req-7" });
    const read = vi
      .fn()
      .mockRejectedValueOnce(gone)
      .mockResolvedValue({ data: ["one"], meta: META });
    renderAt(<List read={read} />);
    expect(await screen.findByText(/Away/)).toBeInTheDocument();
    expect(screen.getByText("back soon")).toBeInTheDocument();
    expect(screen.getByText("req-7")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await screen.findByText("one")).toBeInTheDocument();
  });

  it("offers no retry for what a retry cannot mend", async () => {
    renderAt(<List read={() => Promise.reject(new ApiProblem({ status: 403, title: "You may not" }))} />);
    expect(await screen.findByText(/You may not/)).toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Retry" })).not.toBeInTheDocument();
  });

  it("tells nothing there from nothing that matches", async () => {
    const read = () => Promise.resolve({ data: [], meta: META });
    const first = renderAt(<List read={read} />);
    expect(await screen.findByText("No things")).toBeInTheDocument();
    expect(screen.getByText("Nobody made any.")).toBeInTheDocument();
    first.unmount();
    const clear = vi.fn();
    renderAt(<List read={read} isFiltered clear={clear} />);
    await userEvent.click(await screen.findByRole("button", { name: "Clear all filters" }));
    expect(clear).toHaveBeenCalledOnce();
  });

  it("keeps what it has when it cannot be read again, and says how old it is", async () => {
    const read = vi
      .fn()
      .mockResolvedValueOnce({ data: ["one"], meta: META })
      .mockRejectedValue(new ApiProblem({ status: 503, title: "Away" }));
    const { queries } = renderAt(<List read={read} />);
    await screen.findByText("one");
    await queries.invalidateQueries();
    expect(await screen.findByText(/Could not refresh: data from/)).toBeInTheDocument();
    expect(screen.getByText("one")).toBeInTheDocument();
  });

  it("names the sources that are silent", async () => {
    const coverage = { expected: 1, reporting: 1, missing: [] };
    const meta: Meta = {
      ...META,
      partial: true,
      sources: [
        { source: "cluster/a", state: "fresh", age_s: 3, observed_at: "2026-11-24T08:12:00Z", coverage },
        { source: "cluster/b", state: "stale", age_s: 2040, observed_at: "2026-11-24T07:38:00Z", coverage },
      ],
    };
    renderAt(<List read={() => Promise.resolve({ data: ["one"], meta })} />);
    await waitFor(() => {
      expect(
        screen.getByText(/1 of 2 clusters reporting; missing: b \(stale, 34 min old\)/),
      ).toBeInTheDocument();
    });
  });
});

describe("notes on what is shown", () => {
  it("say how old it is", () => {
    const now = Date.parse("2026-11-24T08:46:00Z");
    expect(staleText(Date.parse("2026-11-24T08:12:00Z"), "UTC", now)).toBe("data from 08:12 (34 min old)");
  });

  it("say nothing when all report; what is disabled is not expected", () => {
    const coverage = { expected: 1, reporting: 1, missing: [] };
    const source = { age_s: 1, observed_at: null, coverage };
    const fresh = { ...source, source: "babylon", state: "fresh" as const };
    const off = { ...source, source: "aap", state: "disabled" as const };
    expect(coverageText({ ...META, sources: [fresh, off] })).toBeNull();
    const never = { ...source, source: "labagator", state: "never" as const, age_s: null };
    expect(coverageText({ ...META, sources: [fresh, never] })).toEqual({
      text: "1 of 2 sources reporting",
      missing: ["labagator (never read)"],
    });
  });
});
