import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Where the query function answers while somebody works on the pages. */
const api = process.env["STARGATE_API"] ?? "http://127.0.0.1:8090";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@app": here("./src/app"), "@test": here("./src/test") } },
  server: {
    host: "127.0.0.1",
    port: Number(process.env["PORT"] ?? 5173),
    strictPort: true,
    proxy: { "/api": { target: api, changeOrigin: true } },
  },
  build: {
    target: "es2022",
    manifest: true,
    // The content security policy allows fonts and scripts from files only, never from data: addresses.
    assetsInlineLimit: 0,
  },
  test: {
    environment: "jsdom",
    setupFiles: ["./src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    testTimeout: 30_000,
    // PatternFly's modules import their style sheets: they go through the bundler.
    server: { deps: { inline: [/@patternfly\//] } },
  },
});
