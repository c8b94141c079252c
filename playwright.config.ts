import { defineConfig } from "@playwright/test";

/** Journeys run one after the other: each starts browsers and a relay, and two cores are enough for one of them. */
export default defineConfig({
  testDir: "e2e",
  testMatch: "**/*.spec.ts",
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
});
