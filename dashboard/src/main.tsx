import "@patternfly/react-core/dist/styles/base.css";
import "./app/app.css";

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter } from "react-router";

import { App } from "@app/app";
import { createQueryClient } from "@app/client/query-client";
import { Layout } from "@app/layout/layout";
import { pages } from "@app/Routes";

const routes = [{ element: <Layout />, children: pages }];

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <App queries={createQueryClient()} router={createBrowserRouter(routes)} />
  </StrictMode>,
);
