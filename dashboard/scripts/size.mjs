// Fails when the script that the first page needs is larger than its budget. Charts and other pages are loaded later.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET = 300 * 1000;
const FIRST = ["index.html", "src/app/pages/overview/overview.tsx"];

const manifest = JSON.parse(readFileSync(join("dist", ".vite", "manifest.json"), "utf8"));
const needed = new Set();
const visit = (key) => {
  const chunk = manifest[key];
  if (chunk === undefined)
    throw new Error(`${key} is not in the manifest: build first, or mend scripts/size.mjs`);
  if (needed.has(chunk.file)) return;
  needed.add(chunk.file);
  (chunk.imports ?? []).forEach(visit);
};
FIRST.forEach(visit);

let total = 0;
for (const file of needed) {
  const size = gzipSync(readFileSync(join("dist", file)), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${file}`);
}
console.log(`${String(total).padStart(8)}  script of the first page, compressed; the budget is ${BUDGET}`);
if (total > BUDGET) process.exit(1);
