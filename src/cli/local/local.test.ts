import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytesModule, wasiModule, wat } from "../../sandbox/wat.contract.ts";

const MAIN = join(import.meta.dirname, "..", "main.ts");
const WASI = "wasi_snapshot_preview1";
const READ = `(import "${WASI}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))`;
const WRITE = `(import "${WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))`;
const ARGS = `(import "${WASI}" "args_get" (func $args (param i32 i32) (result i32)))`;
const RANDOM = `(import "${WASI}" "random_get" (func $random (param i32 i32) (result i32)))`;
const EXIT = `(import "${WASI}" "proc_exit" (func $exit (param i32)))`;

function write(fd: number, from: number, length: string): string {
  return `i32.const 0 i32.const ${from} i32.store i32.const 4 ${length} i32.store
    i32.const ${fd} i32.const 0 i32.const 1 i32.const 8 call $write drop`;
}

const FUNCTIONS = {
  cat: wasiModule(
    READ + WRITE,
    `i32.const 0 i32.const 500 i32.store i32.const 4 i32.const 60000 i32.store
     i32.const 0 i32.const 0 i32.const 1 i32.const 8 call $read drop ${write(1, 500, "i32.const 8 i32.load")}`,
  ),
  args: wasiModule(
    WRITE + ARGS,
    `i32.const 100 i32.const 200 call $args drop ${write(1, 209, "i32.const 4")}`,
  ),
  random: wasiModule(
    WRITE + RANDOM,
    `i32.const 100 i32.const 8 call $random drop ${write(1, 100, "i32.const 8")}`,
  ),
  fails: wasiModule(
    WRITE + EXIT,
    `${write(2, 100, "i32.const 5")} i32.const 3 call $exit`,
    `(data (i32.const 100) "oops\\n")`,
  ),
  traps: bytesModule("call $outer i64.const 0", "(func $outer call $inner) (func $inner unreachable)"),
  grows: bytesModule("i32.const 2 memory.grow drop i64.const 5"),
  hangs: bytesModule("(loop $l br $l) i64.const 0"),
  fetches: `(module (import "env" "fetch" (func)) (memory (export "memory") 1 2 ) (func (export "_start")))`,
} as const;

let folder = "";
const path = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tabmesh-local-"));
  for (const [name, source] of Object.entries(FUNCTIONS))
    await writeFile(path(`${name}.wasm`), await wat(source));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function tabmesh(args: readonly string[], input: string = "") {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    // A relay that nobody runs: whoever asks for one fails.
    env: {
      ...process.env,
      TABMESH_HOME: path("home"),
      TABMESH_RELAY: "http://127.0.0.1:9",
      NODE_NO_WARNINGS: "1",
    },
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  return { code: await code, stdout: stdout.toString(), bytes: stdout, stderr };
}

async function local(name: keyof typeof FUNCTIONS, ...args: readonly string[]) {
  return tabmesh(["run", "--local", path(`${name}.wasm`), ...args], "from stdin");
}

async function localJson(name: keyof typeof FUNCTIONS, ...args: readonly string[]) {
  const { code, stdout, stderr } = await local(name, "--json", ...args);
  expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  const told: Record<string, unknown> = JSON.parse(stdout);
  return { code, told, stderr };
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

describe("run --local", () => {
  test("prints the output alone on standard output, and needs no identity", async () => {
    const { code, stdout, stderr } = await local("cat");
    expect([code, stdout]).toEqual([0, "from stdin"]);
    expect(stderr).toMatch(/^Done here: .* fuel, 64\.0 KiB of memory, 10 B of output/u);
    await expect(readdir(path("home"))).rejects.toThrow("ENOENT");
  });

  test("tells outcome, fuel, memory, time and hash as one line of JSON", async () => {
    const { code, told, stderr } = await localJson("cat");
    expect([code, stderr]).toEqual([0, ""]);
    expect(told).toMatchObject({
      ok: true,
      outcome: "done",
      failure: null,
      fuel: expect.stringMatching(/^\d+$/u),
      peakMemoryBytes: 65_536,
      timeMs: { load: expect.any(Number), run: expect.any(Number) },
      outputBytes: 10,
      outputSha256: sha256("from stdin"),
      stderr: "",
      profile: expect.any(Number),
      abi: "wasi-p1",
    });
  });

  test("takes input and output files, and says nothing when it is to be quiet", async () => {
    await writeFile(path("in"), "from a file");
    const { stdout, stderr } = await local("cat", "--input", path("in"), "--out", path("out"), "--quiet");
    expect([stdout, stderr, await readFile(path("out"), "utf8")]).toEqual(["", "", "from a file"]);
  });

  test("takes arguments after --", async () => {
    expect((await local("args", "--", "-x", "y")).stdout).toBe("-x\0y");
  });

  test("takes files and whole folders", async () => {
    await mkdir(path("tree/empty"), { recursive: true });
    await writeFile(path("tree/a"), "from the tree");
    const copy = ["--input-file", "unused", "--output-file"];
    for (const [file, output] of [
      [`/=${path("tree")}`, "a"],
      [`x/y=${path("tree")}`, "x/y/a"],
      [`one=${path("tree/a")}`, "one"],
    ] as const)
      expect((await local("cat", "--file", file, ...copy, output)).stdout).toBe("from the tree");
  });

  test("takes a seed, and draws the same from the same", async () => {
    const [first, second, other] = await Promise.all([
      local("random"),
      local("random"),
      local("random", "--seed", "00ff"),
    ]);
    expect(first.bytes).toEqual(second.bytes);
    expect(first.bytes).not.toEqual(other.bytes);
  });

  test("an exit code ends with 1, with what the program said", async () => {
    const { code, stdout, stderr } = await local("fails");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^oops\ntabmesh: .* \[30014 exit-code\]\n {2}why: {2}exit code 3\n/u);
    expect((await localJson("fails")).told).toMatchObject({
      ok: false,
      outcome: "failed",
      failure: { code: 30014, name: "exit-code", detail: "exit code 3" },
      stderr: "oops\n",
    });
  });

  test("a trap names the functions it went through", async () => {
    const { code, told } = await localJson("traps");
    expect([code, told["failure"]]).toMatchObject([
      1,
      { name: "trap-unreachable", stack: ["inner #3", "outer #2", "run #1"] },
    ]);
    expect((await local("traps")).stderr).toContain("  at:  inner #3\n  at:  outer #2\n");
  });

  test("tells the largest memory", async () => {
    expect((await localJson("grows")).told["peakMemoryBytes"]).toBe(3 * 65_536);
  });

  test("keeps limits of fuel and memory", async () => {
    expect((await localJson("hangs", "--fuel", "10k")).told).toMatchObject({
      failure: { name: "out-of-fuel" },
      fuel: "10000",
    });
    expect((await localJson("grows", "--memory", "64KiB")).told["peakMemoryBytes"]).toBe(65_536);
  });

  test("a deadline ends it, with fuel that nobody knows", async () => {
    const { code, told } = await localJson("hangs", "--deadline", "300ms", "--fuel", "1000000T");
    expect([code, told]).toMatchObject([1, { failure: { name: "deadline" }, fuel: null }]);
  });

  test("an import that is refused is named, and --seed without --local is a mistake", async () => {
    expect((await localJson("fetches")).told).toMatchObject({
      failure: { name: "import-refused", detail: "env.fetch" },
    });
    expect((await tabmesh(["run", path("cat.wasm"), "--seed", "00"])).code).toBe(2);
  });
});

describe("map --local", () => {
  test("runs every input, and says which failed", async () => {
    await mkdir(path("inputs"));
    await Promise.all(["a", "b", "c"].map((name) => writeFile(path(`inputs/${name}.txt`), name)));
    const args = ["--inputs", path("inputs/*.txt"), "--out", path("outputs"), "--json"];
    const good = await tabmesh(["map", "--local", path("cat.wasm"), ...args]);
    expect([good.code, JSON.parse(good.stdout)]).toMatchObject([
      0,
      { ok: true, tasks: 3, done: 3, failed: 0 },
    ]);
    expect(await readFile(path("outputs/b.txt.out"), "utf8")).toBe("b");
    const bad = await tabmesh(["map", "--local", path("fails.wasm"), ...args]);
    expect([bad.code, JSON.parse(bad.stdout)]).toMatchObject([
      1,
      { ok: false, done: 0, failed: 3, results: [{ input: "a.txt", name: "exit-code" }, {}, {}] },
    ]);
  });
});

describe("function inspect", () => {
  test("accepts a function and lists what it imports and exports", async () => {
    const { code, stdout } = await tabmesh(["function", "inspect", path("cat.wasm")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/cat\.wasm: accepted by profile \d+ as wasi-p1\n/u);
    expect(stdout).toContain("fd_read   (i32, i32, i32, i32) -> i32  wasi-p1");
  });

  test("refuses with every reason, as JSON too", async () => {
    const { code, stdout } = await tabmesh(["function", "inspect", path("fetches.wasm"), "--json"]);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      1,
      {
        verdict: "refused",
        reasons: [{ name: "import-refused", detail: "env.fetch" }],
        imports: [{ module: "env", name: "fetch", kind: "function", abis: [] }],
        memories: [{ minimum: 1, maximum: 2 }],
      },
    ]);
  });

  test("names cannot steer the terminal", async () => {
    const name = "\\1b[2J\\e2\\80\\ae";
    await writeFile(path("evil.wasm"), await wat(`(module (import "env" "${name}" (func)))`));
    const { stdout } = await tabmesh(["function", "inspect", path("evil.wasm")]);
    expect(stdout).toContain("env.\\u{1b}[2J\\u{202e}");
    expect(stdout).not.toContain("\u001b");
  });
});

async function instanceOf(bytes: Uint8Array): Promise<WebAssembly.Exports> {
  const { instance } = await WebAssembly.instantiate(new Uint8Array(bytes), {});
  return instance.exports;
}

function fuelOf({ ["tabmesh:fuel"]: fuel }: WebAssembly.Exports): bigint {
  if (!(fuel instanceof WebAssembly.Global) || typeof fuel.value !== "bigint") throw new TypeError("no fuel");
  return fuel.value;
}

describe("function meter", () => {
  test("writes a module that counts its fuel and otherwise behaves as before", async () => {
    const args = ["function", "meter", path("grows.wasm"), "-o", path("grows.metered.wasm"), "--json"];
    const { code, stdout } = await tabmesh(args);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true, fuel: String(2n ** 62n) }]);
    const exports = await instanceOf(await readFile(path("grows.metered.wasm")));
    const { tabmesh_run: run, memory } = exports;
    if (typeof run !== "function" || !(memory instanceof WebAssembly.Memory))
      throw new TypeError("no function");
    expect(fuelOf(exports)).toBe(2n ** 62n);
    expect([run(0, 0), memory.buffer.byteLength]).toEqual([5n, 3 * 65_536]);
    expect(fuelOf(exports)).toBeLessThan(2n ** 62n);
    // Its own results may be written over.
    expect((await tabmesh(args)).code).toBe(0);
  });

  test("starts with the fuel it is given, ends when that is gone, and may go to standard output", async () => {
    const { bytes } = await tabmesh(["function", "meter", path("hangs.wasm"), "-o", "-", "--fuel", "10k"]);
    const exports = await instanceOf(bytes);
    const { tabmesh_run: run } = exports;
    expect(fuelOf(exports)).toBe(10_000n);
    expect(() => typeof run === "function" && run(0, 0)).toThrow(WebAssembly.RuntimeError);
    expect(fuelOf(exports)).toBeLessThanOrEqual(0n);
  });

  test("does not judge imports", async () => {
    expect((await tabmesh(["function", "meter", path("fetches.wasm"), "-o", path("f.wasm")])).code).toBe(0);
  });

  test("refuses what no engine would take, also where the rewriting would have mended it", async () => {
    // A function of no results that leaves one.
    const leaves = [
      0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 0x41, 1, 0x0b,
    ];
    await writeFile(path("leaves.wasm"), Uint8Array.from(leaves));
    const refused = await tabmesh(["function", "meter", path("leaves.wasm"), "-o", path("mended.wasm")]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("type check")]);
    await expect(readFile(path("mended.wasm"))).rejects.toThrow("ENOENT");
  });

  test("writes over no other file unless it is told to", async () => {
    await writeFile(path("precious.txt"), "precious");
    const args = ["function", "meter", path("cat.wasm"), "-o", path("precious.txt")];
    const refused = await tabmesh(args);
    expect([refused.code, await readFile(path("precious.txt"), "utf8")]).toEqual([2, "precious"]);
    expect((await tabmesh([...args, "--force"])).code).toBe(0);
  });
});
