/** The page of jobs: a function looked at, tried, priced, run by another tab, and everything that is kept of it. */
import { execFileSync } from "node:child_process";
import { webcrypto } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { type Browser, type Download, expect, type Locator, type Page, test } from "@playwright/test";
import wabtInit from "wabt";
import { loadPictureJob, STUDIO_SCENE } from "../src/cli/picture/picture-job.ts";
import { verifierOf } from "../src/protocol/ed25519.ts";
import { relayInfoJson } from "../src/protocol/relay-json.ts";
import { parseTlogProof } from "../src/protocol/tlog-proof.ts";
import { checkProof } from "../src/sdk/index.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { outputsHere } from "./support/outputs-here.ts";
import { launchChromium, openProviderTab, type ProviderTab } from "./support/tab.ts";

test.describe.configure({ mode: "serial", timeout: 120_000 });

const wabt = await wabtInit();
const home = mkdtempSync(join(tmpdir(), "tabmesh-jobs-"));
let relay: RelayProcess;
let browser: Browser;
let page: Page;
let provider: ProviderTab | undefined;
const errors: string[] = [];

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: join(home, "relay"), port: await freePort() });
  browser = await launchChromium();
  page = await browser.newPage();
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`${relay.url}/#/jobs`);
});
test.afterAll(async () => {
  await provider?.browser.close();
  await browser.close();
  await relay.kill();
  rmSync(home, { recursive: true });
});

/** A WASI program: says something to its log, then gives back its input, or ends with 3 where that begins with an x. */
const TALKER = compile(`(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "reading my input\\n")
  (func (export "_start")
    (i32.store (i32.const 16) (i32.const 100)) (i32.store (i32.const 20) (i32.const 17))
    (drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 24)))
    (i32.store (i32.const 0) (i32.const 1000)) (i32.store (i32.const 4) (i32.const 500))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (if (i32.eq (i32.load8_u (i32.const 1000)) (i32.const 120)) (then (call $exit (i32.const 3))))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 24)))))`);

const THIEF = compile('(module (import "env" "steal" (func)) (memory (export "memory") 1))');

function compile(text: string): Buffer {
  return Buffer.from(wabt.parseWat("function.wat", text).toBinary({}).buffer);
}

const LIMITS = { fuel: 20_000_000_000n, memoryBytes: 2 ** 28, outputBytes: 2 ** 24 };

/** Filtered rows of a PNG of one data chunk, which a browser and Node pack differently. */
function pixelsOf(png: Buffer): Buffer {
  const at = png.indexOf("IDAT");
  return inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
}

async function upload(name: string, buffer: Buffer): Promise<void> {
  await page.getByLabel("WebAssembly file").setInputFiles({ name, mimeType: "application/wasm", buffer });
}

async function tryHere(): Promise<void> {
  await page.getByRole("button", { name: "Try it here" }).click();
  await expect(page.getByText("Time here")).toBeVisible();
  await expect(page.getByText(/^Reckoned from/u)).toBeVisible();
}

async function runToItsEnd(): Promise<void> {
  await page.getByRole("button", { name: "Run the job" }).click();
  await expect(page.getByRole("heading", { name: "Receipts" })).toBeVisible({ timeout: 60_000 });
}

async function saved(button: Locator): Promise<Buffer> {
  const downloading: Promise<Download> = page.waitForEvent("download");
  await button.click();
  return readFile(await (await downloading).path());
}

/** Credits that stand under a name. */
async function creditsAt(term: string): Promise<number> {
  const value = page.locator("dl > div", { has: page.getByText(term, { exact: true }) }).locator("dd .aside");
  return Number.parseFloat((await value.first().textContent()) ?? "");
}

test("a function that takes what nobody offers is refused by name, and what is none at once", async () => {
  await upload("thief.wasm", THIEF);
  await expect(page.getByText("Refused", { exact: true })).toBeVisible();
  await expect(page.getByText("env.steal", { exact: true })).toBeVisible();
  await expect(page.getByText(/Remove the import/u)).toBeVisible();
  await page.getByRole("radio", { name: "None" }).check({ force: true });
  await expect(page.getByRole("button", { name: "Run the job" })).toBeDisabled();
  await upload("notes.wasm", Buffer.from("hello"));
  await expect(page.getByText(/not a WebAssembly file/u)).toBeVisible();
});

test("without any tab it says so, goes on while the person looks elsewhere, and is cancelled for nothing", async () => {
  await page.getByRole("button", { name: /Count words/u }).click();
  await expect(page.getByText("Accepted", { exact: true })).toBeVisible();
  await tryHere();
  await expect(page.getByText("0 8 39")).toBeVisible();
  await page.getByRole("button", { name: "Run the job" }).click();
  await expect(page.getByRole("heading", { name: "wordcount.wasm" })).toBeFocused();
  await expect(page.getByText("No tab is contributing right now")).toBeVisible();
  await page.getByRole("link", { name: "Contribute", exact: true }).click();
  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  await expect(page.getByText("No tab is contributing right now")).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByText("Cancelled before any tab took it. Nothing was spent.")).toBeVisible();
  await page.getByRole("button", { name: "New job" }).click();
  await expect(page.getByText("Cancelled, 0 of 4 tasks served")).toBeVisible();
});

test("a page that goes in the middle of a job asks first; the next one finds the job, and takes its money back", async () => {
  await page.getByRole("button", { name: "Run the job" }).click();
  await expect(page.getByText("No tab is contributing right now")).toBeVisible();
  const asked = new Promise<string>((resolve) => {
    page.once("dialog", (dialog) => {
      resolve(dialog.type());
      void dialog.accept();
    });
  });
  await page.reload();
  expect(await asked).toBe("beforeunload");
  const line = page.locator(".job-recent li").first();
  await expect(line).toContainText("its page was closed or reloaded");
  await line.locator("summary").click();
  await expect(line).toContainText("The relay still keeps money aside for it.");
  await line.getByRole("button", { name: "End it and take back the rest" }).click();
  await expect(line).toContainText("It is closed and settled.");
  await expect(line).toContainText("Cancelled, 0 of 4 tasks served");
});

test("a picture comes tile by tile for about the price that was told, and is the command line’s to the pixel", async () => {
  provider = await openProviderTab(relay.url);
  await page.getByRole("button", { name: /Render a picture/u }).click();
  await page.getByRole("radio", { name: "320 × 180" }).check({ force: true });
  await expect(page.getByText(/^40 tiles/u)).toBeVisible();
  await tryHere();
  await expect(page.getByText(/^Reckoned from 5 inputs/u)).toBeVisible();
  const likely = await creditsAt("Likely price");
  await runToItsEnd();
  await expect(page.getByText("40 tasks done.")).toBeVisible();
  const spent = await creditsAt("Spent");
  expect(spent / likely).toBeGreaterThan(0.4);
  expect(spent / likely).toBeLessThan(2.5);
  const job = await loadPictureJob(STUDIO_SCENE, { size: { width: 320, height: 180 }, quality: "draft" });
  for (const [index, output] of (await outputsHere(job.module, job.inputs, LIMITS)).entries())
    job.place(index, output);
  const png = await saved(page.getByRole("button", { name: "Save the picture" }));
  expect(pixelsOf(png).equals(pixelsOf(Buffer.from(await job.png())))).toBe(true);
});

test("the job’s receipts hold in the page, and as a file before anybody", async () => {
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByText(/All \d+ checks passed in this page/u)).toBeVisible();
  await expect(page.getByText("Signed by you")).toBeVisible();
  const proof = await saved(page.getByRole("button", { name: "Save proof" }));
  const info = relayInfoJson.read(await (await fetch(`${relay.url}/v1/relay`)).json());
  const checked = await checkProof(
    parseTlogProof(proof.toString()),
    info.keys.log,
    verifierOf(webcrypto.subtle),
  );
  expect(checked).toMatchObject({ ok: true, entry: { type: "receipt" } });
});

test("a task that failed shows its log, computed again here; results are saved together and the list outlives a reload", async () => {
  await page.getByRole("button", { name: "New job" }).click();
  await upload("talker.wasm", TALKER);
  await page.getByRole("radio", { name: "Files" }).check({ force: true });
  await page.getByLabel("Input files").setInputFiles([
    { name: "one.txt", mimeType: "text/plain", buffer: Buffer.from("first") },
    { name: "bad.txt", mimeType: "text/plain", buffer: Buffer.from("x marks it") },
    { name: "two.txt", mimeType: "text/plain", buffer: Buffer.from("Zweiter") },
  ]);
  await tryHere();
  await runToItsEnd();
  await expect(page.getByText("2 tasks done, 1 failed.")).toBeVisible();
  await page.getByRole("radio", { name: "Failed 1" }).check({ force: true });
  await page.locator("summary", { hasText: "bad.txt" }).click();
  await expect(page.getByText("exit code 3")).toBeVisible();
  await page.getByRole("button", { name: "Check it here and show its log" }).click();
  await expect(page.getByText("The same here")).toBeVisible();
  await expect(page.getByLabel("Log")).toHaveText("reading my input");
  const tar = await saved(page.getByRole("button", { name: "Save 2 outputs as .tar" }));
  execFileSync("tar", ["-xf", "-", "-C", home], { input: tar });
  expect(readFileSync(join(home, "one.txt.txt"), "utf8")).toBe("first");
  expect(readFileSync(join(home, "two.txt.txt"), "utf8")).toBe("Zweiter");
  const lines = await saved(page.getByRole("button", { name: "Save all as .jsonl" }));
  expect(
    lines
      .toString()
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line)),
  ).toMatchObject([
    { input: "one.txt", ok: true, output: "first" },
    { input: "bad.txt", ok: false, name: "exit-code" },
    { input: "two.txt", ok: true, output: "Zweiter" },
  ]);
  await page.reload();
  await page.locator(".job-recent summary").first().click();
  await expect(page.locator(".job-recent summary").first()).toContainText("talker.wasm");
  await page.getByRole("button", { name: "Verify" }).first().click();
  await expect(page.getByText(/All \d+ checks passed/u)).toBeVisible();
  expect(errors).toEqual([]);
});
