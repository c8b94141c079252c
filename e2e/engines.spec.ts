/** The same tasks in every engine there is: the same ends, the same fuel, the same bytes. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@playwright/test";
import { findFirefox, onPath } from "../src/cli/browser/find-chromium.ts";
import { answersOf, type Subject } from "./support/engines/answers.ts";
import { bundle } from "./support/engines/bundle.ts";
import { engineSubjects } from "./support/engines/subjects.ts";
import { openFirefoxTab } from "./support/firefox-tab.ts";
import { launchChromium } from "./support/tab.ts";

const firefox = findFirefox(process.env);
const jsc = onPath(["jsc"], process.env);
const MISSING = [
  ...(firefox === undefined ? ["SpiderMonkey (install firefox-esr or set FIREFOX_PATH)"] : []),
  ...(jsc === undefined ? ["JavaScriptCore (install libjavascriptcoregtk-4.0-bin)"] : []),
];
for (const engine of MISSING) console.log(`skipped: functions in ${engine}`);

/** More than the answers of a few hundred tasks, bytes. */
const MOST_ANSWERS = 64 * 1024 * 1024;

test.describe.configure({ timeout: 240_000 });

const folder = mkdtempSync(join(tmpdir(), "tabmesh-engines-"));
/** What Node's engine answers. */
let wanted: readonly string[];
let server: Server;

test.beforeAll(async () => {
  const subjects: readonly Subject[] = await engineSubjects();
  wanted = await answersOf(subjects);
  const json = JSON.stringify(subjects);
  writeFileSync(join(folder, "subjects.json"), json);
  const script = await bundle("worker-main.ts");
  const pages: Readonly<Record<string, readonly [string, string]>> = {
    "/": ["text/html", "<!doctype html><title>engine</title>"],
    "/engine.js": ["text/javascript", script],
    "/subjects.json": ["application/json", json],
  };
  server = createServer((request, response) => {
    const [type, body] = pages[request.url ?? ""] ?? ["text/plain", ""];
    response.setHeader("Content-Type", type).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
test.afterAll(() => {
  server?.close();
  rmSync(folder, { recursive: true });
});

function origin(): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** To be evaluated in a page of the server: the answers of a thread, or what went wrong. */
const ANSWERS = `new Promise((resolve) => {
  const thread = new Worker("/engine.js", { type: "module" });
  thread.onmessage = ({ data }) => resolve(data);
  thread.onerror = ({ message }) => resolve(String(message));
})`;

test("Node's engine tells each its end, and all kinds of them", () => {
  const ends = Map.groupBy(
    wanted,
    (answer) => /: (refused: [\w-]+|[\w-]+)(?:,|$)/u.exec(answer)?.[1] ?? answer,
  );
  console.log(
    `${wanted.length} tasks:`,
    Object.fromEntries([...ends].map(([end, all]) => [end, all.length])),
  );
  expect(wanted.length).toBeGreaterThan(400);
  expect(ends.get("done")?.length).toBeGreaterThan(250);
  for (const end of [
    "out-of-fuel",
    "stack-overflow",
    "out-of-memory",
    "trap-memory-bounds",
    "refused: invalid-module",
  ])
    expect([...ends.keys()]).toContain(end);
  expect(ends.has("worker-lost")).toBe(false);
});

test("Chromium does what Node does, for the same fuel", async () => {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(origin());
    expect(await page.evaluate(ANSWERS)).toEqual(wanted);
  } finally {
    await browser.close();
  }
});

test("SpiderMonkey does what V8 does, for the same fuel", async () => {
  test.skip(firefox === undefined, "no Firefox here");
  const tab = await openFirefoxTab(firefox ?? "", origin());
  try {
    console.log(`SpiderMonkey in ${tab.version}`);
    expect(await tab.page.evaluate(ANSWERS)).toEqual(wanted);
  } finally {
    await tab.browser.close();
  }
});

/** Its compilers in turn; on their own they do not see to functions that run as shortly as these. */
const COMPILERS: readonly (readonly [string, readonly string[]])[] = [
  ["as it is", []],
  ["compiling at once", ["--useWasmIPInt=0", "--useWasmLLInt=0"]],
  [
    "optimising at once",
    [
      "--useConcurrentJIT=0",
      "--useWasmIPInt=0",
      "--useWasmLLInt=0",
      "--thresholdForOMGOptimizeAfterWarmUp=1",
    ],
  ],
];

for (const [how, flags] of COMPILERS)
  test(`JavaScriptCore, ${how}, does what V8 does, for the same fuel`, { tag: "@long" }, async () => {
    test.skip(jsc === undefined, "no JavaScriptCore here");
    const script = join(folder, "engine.mjs");
    writeFileSync(script, await bundle("jsc-main.ts"));
    const args = [...flags, script, "--", join(folder, "subjects.json")];
    const { stdout } = await promisify(execFile)(jsc ?? "", args, { maxBuffer: MOST_ANSWERS });
    expect(JSON.parse(stdout)).toEqual(wanted);
  });
