import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import wabtInit from "wabt";
import { cidOf, RAW } from "../../protocol/cid.ts";
import type { Ended } from "../command-line.contract.ts";
import { runHere } from "../run-here.contract.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "..", "examples");
/** Nothing listens on the discard port. */
const NOBODY = "http://127.0.0.1:9";

let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-plan-"));
  const noop = readFileSync(join(EXAMPLES, "noop", "noop.wasm"));
  const wabt = await wabtInit();
  const trap = new Uint8Array(
    wabt
      .parseWat(
        "trap.wat",
        `(module (memory (export "memory") 1)
         (func (export "tabmesh_alloc") (param i32) (result i32) (i32.const 8))
         (func (export "tabmesh_run") (param i32 i32) (result i64) unreachable))`,
      )
      .toBinary({}).buffer,
  );
  writeFileSync(join(folder, "noop.wasm"), noop);
  writeFileSync(join(folder, "trap.wasm"), trap);
  write("words.yaml", planOf(cidOf(RAW, noop)));
  write("broken.yaml", planOf(cidOf(RAW, noop)).replace("{each: each}", "{each: eahc}"));
  write("trap.yaml", planOf(cidOf(RAW, trap)));
  write("absent.yaml", planOf(cidOf(RAW, Uint8Array.of(1))));
});
afterAll(() => rmSync(folder, { recursive: true }));

function planOf(cid: string): string {
  return `v: 1
name: words
params:
  text: text
  most: number?
nodes:
  list:
    kind: expr
    expression: split(text, " ")
    with: {text: $text}
  each:
    kind: map
    title: Every word
    over: list
    max: 64
    graph:
      params: {item: text}
      nodes:
        same:
          kind: call
          title: Say it again
          callee: {kind: function, cid: ${cid}, entry: tabmesh_run, abi: bytes-1}
          input: $item
          place: {at: any, prefer: fair}
          output: text
      result: same
  told:
    kind: expr
    expression: "{count: length(each), last: reverse(each)[0]}"
    with: {each: each}
result: told
`;
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function plan(...args: readonly string[]): Promise<Ended> {
  return runHere(join(folder, "home"), ["plan", ...args]);
}

const file = (name: string): string => join(folder, name);

describe("plan check", () => {
  it("says what a plan takes, gives, reaches and costs at most", async () => {
    const { exit, stdout } = await plan("check", file("words.yaml"));
    const json = await plan("check", "--json", file("words.yaml"));
    expect(exit).toBe(0);
    expect(stdout).toContain("the plan words can run");
    expect(stdout).toContain("text: text, most: number?");
    expect(stdout).toContain("nothing outside of the run");
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      nodes: { all: 4, byPeers: 1, byCoordinator: 2 },
      result: "{last: text, count: number}",
      // The map's own, and one for each of its elements; the two expressions.
      bounds: { steps: "67", tasks: "384" },
    });
  });

  it("points at what is wrong", async () => {
    const { exit, stdout } = await plan("check", file("broken.yaml"));
    const json = await plan("check", "--json", file("broken.yaml"));
    expect(exit).toBe(1);
    expect(stdout).toContain('line 30, column 18, node "told", with.each: there is no node "eahc"');
    expect(stdout).toMatch(/30 │ {5}with: \{each: eahc\}\n {6}│ {18}↑/u);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problems: [{ node: "told", path: "with.each", line: 30, column: 18 }],
    });
  });

  it("looks at the modules beside a plan, and says what is not there", async () => {
    const words = readFileSync(file("words.yaml"), "utf8");
    write("misfit.yaml", words.replace("entry: tabmesh_run, abi: bytes-1", "entry: run, abi: bytes-1"));
    const misfit = await plan("check", file("misfit.yaml"));
    expect(misfit.exit).toBe(1);
    expect(misfit.stdout).toContain('node "same", callee: the module beside the plan has no entry "run"');
    expect(misfit.stdout).toContain("It is called with abi bytes-1 and entry tabmesh_run");
    const absent = await plan("check", file("absent.yaml"));
    expect(absent.exit).toBe(0);
    expect(absent.stdout).toMatch(/missing {2}same: the function bafk\w+ is not beside the plan/u);
    expect((await plan("check", file("words.yaml"))).stdout).not.toContain("missing");
  });

  it("says which files are plans", async () => {
    const { exit, stderr } = await plan("check", file("noop.wasm"));
    expect(exit).toBe(1);
    expect(stderr).toContain("Plans are TypeScript (.ts, .js), JSON (.json) or YAML (.yaml, .yml).");
  });
});

describe("plan graph", () => {
  it("draws every node, and what a plan is called by an evil hand does no harm", async () => {
    write("evil.yaml", readFileSync(file("words.yaml"), "utf8").replace("Say it again", '"<script>&"'));
    const { exit, stdout } = await plan("graph", file("evil.yaml"));
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^<svg [^>]*role="img" aria-label="Plan words">/u);
    for (const shown of ["Every word", "&lt;script&gt;&amp;", "list", "told", "peers in turn"])
      expect(stdout).toContain(shown);
    expect(stdout).not.toContain("<script>");
    write(
      "odd.yaml",
      'v: 1\nname: "\\e[31mred"\nparams: {}\nnodes: {a: {kind: expr, title: "\\e[2J", expression: "1"}}\nresult: a\n',
    );
    for (const does of ["check", "graph", "run"]) {
      const odd = await plan(does, file("odd.yaml"), ...(does === "run" ? ["--local"] : []));
      expect(odd.exit).toBe(0);
      expect(`${odd.stdout}${odd.stderr}`).not.toContain("\u001b");
    }
  });

  it("writes the same plan as JSON and YAML, byte for byte each time", async () => {
    await plan("graph", file("words.yaml"), "-o", file("a.json"));
    await plan("graph", file("a.json"), "-o", file("a.yaml"));
    await plan("graph", file("a.yaml"), "-o", file("b.json"));
    expect(readFileSync(file("b.json"), "utf8")).toBe(readFileSync(file("a.json"), "utf8"));
    const { stderr } = await plan("graph", file("a.json"), "-o", file("a.png"));
    expect(stderr).toContain("not written as .png");
  });
});

describe("plan run --local", () => {
  it("gives the result on standard output, the progress on standard error, and a record that verifies", async () => {
    const { exit, stdout, stderr } = await plan(
      "run",
      "--local",
      file("words.yaml"),
      "-p",
      "text=one two @three",
      "--record",
      file("run"),
    );
    expect(stderr).toContain("Say it again: 3 done");
    expect(stderr).toMatch(/Done: 6 steps at \d peers? in .*, nobody is paid\. Verified: 3 receipts/u);
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: '{"count":3,"last":"@three"}\n' });
    const verified = await plan("verify", "--json", file("run"));
    const told = JSON.parse(verified.stdout) as { run: string; initiator: string };
    expect(told).toMatchObject({
      ok: true,
      plan: "words",
      status: "done",
      steps: 3,
      receipts: 3,
      local: true,
      problems: [],
      unchecked: [],
    });
    const inWords = (await plan("verify", file("run"))).stdout;
    expect(inWords).toContain("3 receipts by ");
    expect(inWords).toContain("on one machine with --local");
    expect(inWords).toContain(`begun by  ${told.initiator}`);
    const elsewhere = await runHere(file("home"), ["verify", file("run")]);
    expect(elsewhere.exit).toBe(1);
    expect(elsewhere.stderr).toContain(`npx tabmesh plan verify ${file("run")}`);
    // By its name alone, too.
    expect(readdirSync(file("home/runs"))).toContain(`${told.run}.tabmesh-run`);
    const shown = await plan("show", told.run, "--relay", NOBODY);
    const receipts = await plan("show", told.run, "--node", "same", "--relay", NOBODY);
    expect(shown.stdout).toContain("The plan words is done");
    expect(shown.stdout).toContain("3 done");
    expect(receipts.stdout.match(/ done {5}/gu)).toHaveLength(3);
  });

  it("import is told what it is for by whoever gives it a plan", async () => {
    const { exit, stderr } = await plan("import", file("words.yaml"));
    expect(exit).toBe(2);
    expect(stderr).toContain("is no program in AIR or Aqua");
    expect(stderr).toContain(`npx tabmesh plan check ${file("words.yaml")}`);
    expect(stderr).toContain("docs/air.md");
  });

  it("a record of which one byte is another does not verify, and says what is wrong", async () => {
    await plan("run", "--local", file("words.yaml"), "-p", "text=one two", "--record", file("good"));
    const record = readFileSync(file("good"));
    for (const share of [0.3, 0.6, 0.9]) {
      const changed = Uint8Array.from(record);
      const place = Math.floor(record.length * share);
      changed[place] = (changed[place] ?? 0) ^ 1;
      writeFileSync(file("changed"), changed);
      const { exit, stdout, stderr } = await plan("verify", file("changed"));
      expect(exit).toBe(1);
      expect(`${stdout}${stderr}`).toMatch(/Does not hold|is no record of a run/u);
    }
  });

  it("a step that fails is named, with its cause and what to do", async () => {
    const args = ["run", "--local", file("trap.yaml"), "-p", "text=one", "--quiet"] as const;
    const { exit, stdout, stderr } = await plan(...args);
    const json = await plan(...args, "--json");
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: "" });
    expect(stderr).toMatch(
      /The run failed at “Say it again” \(node same, iteration 0\): .* \[\d{5} trap-unreachable\]/u,
    );
    expect(stderr).toMatch(/ {2}why: .*unreachable/u);
    expect(stderr).toContain("  do:   ");
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      exit: 1,
      result: null,
      runVerified: true,
      failure: { node: "same", iteration: "0", name: "trap-unreachable", paid: "0" },
    });
  });

  it.each([
    ["a parameter is missing", ["words.yaml"], "needs the parameter text", "--param text=words"],
    ["a parameter is unknown", ["words.yaml", "-p", "txet=a"], "has no parameter txet", "text"],
    [
      "a parameter is of another type",
      ["words.yaml", "-p", "text=a", "-p", "most=many"],
      "takes number?",
      "most=3",
    ],
    [
      "a function is not here",
      ["absent.yaml", "-p", "text=a"],
      "The function that the node same calls is not here",
      "--with",
    ],
    [
      "a file is called by nobody",
      ["words.yaml", "-p", "text=a", "--with", "trap.wasm"],
      "does not call",
      "--with",
    ],
  ])("%s: says so before anything runs", async (_, [name = "", ...args], what, advice) => {
    const { exit, stderr, stdout } = await plan(
      "run",
      "--local",
      file(name),
      ...args.map((arg) => (arg.endsWith(".wasm") ? file(arg) : arg)),
    );
    expect(exit).not.toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toContain(what);
    expect(stderr).toContain(advice);
  });
});

describe("plan import", () => {
  it("makes a plan of AIR that runs", async () => {
    write(
      "twice.air",
      `(seq (call %init_peer_id% ("getDataSrv" "word") [] word)
      (seq (call %init_peer_id% ("say" "again") [word] said) (call %init_peer_id% ("callbackSrv" "response") [said])))`,
    );
    write("functions.json", JSON.stringify({ "say.again": { function: "noop.wasm" } }));
    const unbound = await plan("import", file("twice.air"));
    expect(unbound.exit).toBe(1);
    expect(unbound.stderr).toContain('line 2, column 12: no function is bound to ("say" "again")');
    const { exit, stderr } = await plan(
      "import",
      file("twice.air"),
      "--bind",
      file("functions.json"),
      "-o",
      file("twice.yaml"),
    );
    expect(stderr).toContain("twice.yaml: the plan twice");
    expect(exit).toBe(0);
    const run = await plan("run", "--local", file("twice.yaml"), "-p", 'word="hello"', "--quiet");
    expect(JSON.parse(run.stdout)).toEqual([["hello"]]);
  });

  it("makes a plan of Aqua with the compiler that is installed", async () => {
    write(
      "greet.aqua",
      `aqua Greet declares *

export greet

service Say("say"):
    again(word: string) -> string

func greet(word: string) -> string:
    said <- Say.again(word)
    <- said
`,
    );
    write("functions.json", JSON.stringify({ "say.again": { function: "noop.wasm" } }));
    const { exit, stderr } = await plan(
      "import",
      file("greet.aqua"),
      "--bind",
      file("functions.json"),
      "-o",
      file("greet.yaml"),
    );
    expect(stderr).toContain("greet.yaml: the plan greet");
    expect(exit).toBe(0);
    const run = await plan("run", "--local", file("greet.yaml"), "-p", 'word="hello"', "--quiet");
    expect(JSON.parse(run.stdout)).toEqual([["hello"]]);
  });
});
