import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import { Suspense, type ReactElement } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";

import { createQueryClient } from "@app/client/query-client";

type Rendered = RenderResult & {
  queries: QueryClient;
  /** Where the browser would be now: path and query. */
  address: () => string;
};

/** Renders a page at an address, on the route `path`; every other path is an empty page. Failures are not tried again. */
export function renderAt(element: ReactElement, address = "/", path = "*"): Rendered {
  const queries = createQueryClient();
  const defaults = queries.getDefaultOptions();
  queries.setDefaultOptions({ ...defaults, queries: { ...defaults.queries, retry: false } });
  const others = path === "*" ? [] : [{ path: "*", element: <p>elsewhere</p> }];
  const router = createMemoryRouter([{ path, element }, ...others], { initialEntries: [address] });
  const result = render(
    <QueryClientProvider client={queries}>
      <Suspense fallback="loading">
        <RouterProvider router={router} />
      </Suspense>
    </QueryClientProvider>,
  );
  const where = () => `${router.state.location.pathname}${router.state.location.search}`;
  return { ...result, queries, address: where };
}
