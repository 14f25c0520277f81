import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import type { ComponentProps } from "react";
import { RouterProvider } from "react-router";

import { useLiveUpdates } from "./live";

type Props = { queries: QueryClient; router: ComponentProps<typeof RouterProvider>["router"] };

export function App({ queries, router }: Props) {
  useLiveUpdates(queries);
  return (
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
