import { availableParallelism } from "node:os";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { bundledThreads } from "./vite.config.ts";

const isolationHeaders = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Files that take longer than they tell news: `npm run soak tests` runs them. */
const LONG: readonly string[] = process.env["TABMESH_TESTS"] === "full" ? [] : ["**/*.long.test.ts"];

/** What a test waits for comes in milliseconds, but on a machine that is busy with others it may take seconds. */
const expect = { poll: { timeout: 15_000 } };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          environment: "node",
          include: ["{src,examples,bench,e2e}/**/*.test.ts"],
          exclude: ["**/*.browser.test.ts", ...LONG],
          testTimeout: 30_000,
          expect,
          // Most wait for processes, disks or each other: two cores hold four files at a time.
          maxWorkers: Math.max(4, availableParallelism() - 1),
        },
      },
      {
        server: { headers: isolationHeaders },
        plugins: [bundledThreads()],
        test: {
          name: "browser",
          include: ["src/**/*.browser.test.ts"],
          testTimeout: 30_000,
          expect,
          maxWorkers: 2,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                ...(process.env["CHROMIUM_PATH"] === undefined
                  ? {}
                  : { executablePath: process.env["CHROMIUM_PATH"] }),
                args: [
                  "--no-sandbox",
                  "--disable-quic",
                  "--no-first-run",
                  "--disable-background-networking",
                  "--disable-component-update",
                  "--disable-sync",
                  "--disable-features=WebRtcHideLocalIpsWithMdns",
                  "--enable-unsafe-webgpu",
                  "--use-webgpu-adapter=swiftshader",
                  "--enable-features=Vulkan",
                ],
              },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
