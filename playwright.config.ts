import { defineConfig } from "@playwright/test";

/** Three files of journeys at a time: each starts browsers and a relay of its own, and mostly waits for the network. */
export default defineConfig({
  testDir: "e2e",
  // What takes longer than it tells news: `npm run soak tests` runs it too.
  ...(process.env["TABMESH_TESTS"] === "full" ? {} : { grepInvert: /@long/u }),
  testMatch: "**/*.spec.ts",
  workers: 3,
  timeout: 75_000,
  expect: { timeout: 15_000 },
  // Pictures are made on purpose only: `npm run pictures`.
  snapshotPathTemplate: "e2e/pictures/{arg}{ext}",
  updateSnapshots: "none",
  reporter: [["list"]],
});
