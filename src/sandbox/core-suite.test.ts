import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { FULL_TANK } from "./limits.ts";
import { refillStack } from "./instance.ts";
import type { MeterForm } from "./meter/layout.ts";
import { METER_EXPORTS, meterModule } from "./meter.ts";
import { failureOfTrap, gaugesOf } from "./trap.ts";

/** The WebAssembly core test suite, converted to JSON and binaries, in the folder beside the repository. */
const ARCHIVE = new URL("../../../shared/conformance/wasm-core.tar.gz", import.meta.url);

interface Value {
  type: string;
  value: string;
}
interface Action {
  type: "invoke" | "get";
  field: string;
  module?: string;
  args?: Value[];
}
interface Command {
  type: string;
  line: number;
  filename?: string;
  module_type?: string;
  name?: string;
  as?: string;
  text?: string;
  action?: Action;
  expected?: Value[];
}

/** Suites about what profile 1 refuses as a whole: 64-bit memories, and garbage collection. */
const REFUSED_SUITES = [
  /(address|bulk|endianness|memory|copy|fill|grow|init|load|redundancy|trap)64$/,
  /^binary-gc$/,
];

/** Commands that cannot hold, with the reason. */
const EXCLUDED: ReadonlyMap<string, string> = new Map([
  ["linking0:42", "follows from a module with several memories, which is refused"],
  [
    "ref_func:113",
    "exporting the start function declares it; the engine refuses the original, which is compiled first",
  ],
]);

function* tarEntries(archive: Uint8Array): Generator<[string, Uint8Array]> {
  const text = (from: number, length: number): string =>
    new TextDecoder().decode(archive.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    yield [text(at, 100), archive.subarray(at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

function nothing(): void {}

function spectest(): WebAssembly.ModuleImports {
  return {
    print: nothing,
    print_i32: nothing,
    print_i64: nothing,
    print_f32: nothing,
    print_f64: nothing,
    print_i32_f32: nothing,
    print_f64_f64: nothing,
    global_i32: new WebAssembly.Global({ value: "i32" }, 666),
    global_i64: new WebAssembly.Global({ value: "i64" }, 666n),
    global_f32: new WebAssembly.Global({ value: "f32" }, 666.6),
    global_f64: new WebAssembly.Global({ value: "f64" }, 666.6),
    table: new WebAssembly.Table({ initial: 10, maximum: 20, element: "anyfunc" }),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
  };
}

const scratch = new DataView(new ArrayBuffer(8));

function decode({ type, value }: Value): unknown {
  switch (type) {
    case "i32":
      return Number(value) | 0;
    case "i64":
      return BigInt.asIntN(64, BigInt(value));
    case "f32":
      if (value.startsWith("nan")) return Number.NaN;
      scratch.setUint32(0, Number(value));
      return scratch.getFloat32(0);
    case "f64":
      if (value.startsWith("nan")) return Number.NaN;
      scratch.setBigUint64(0, BigInt(value));
      return scratch.getFloat64(0);
    case "externref":
      return value === "null" ? null : `extern ${value}`;
    default:
      return null;
  }
}

function hasNanBits(value: Value): boolean {
  return /^f(32|64)$/.test(value.type) && Number.isNaN(decode(value)) && !value.value.startsWith("nan");
}

/** What an engine says about a trap, by the suite's words. */
const TRAP_NAMES: readonly [RegExp, string][] = [
  [/divide by zero/, "trap-divide-by-zero"],
  [/^integer overflow/, "trap-integer-overflow|trap-invalid-conversion"],
  [/invalid conversion/, "trap-invalid-conversion"],
  [/out of bounds memory/, "trap-memory-bounds"],
  [/out of bounds table|out of bounds element/, "trap-table-bounds"],
  [/undefined element|uninitialized element|indirect call|undefined$|uninitialized$/, "trap-indirect-call"],
  [/unreachable/, "trap-unreachable"],
  [/call stack exhausted/, "stack-overflow"],
];

/** What an engine that knows nothing of the sandbox says about a trap, by the suite's words. */
const PLAIN_TRAPS: readonly [RegExp, RegExp][] = [
  [/divide by zero/, /by zero/],
  [/integer overflow|invalid conversion/, /unrepresentable/],
  [/out of bounds memory/, /memory access out of bounds/],
  [/out of bounds table|out of bounds element/, /table|element/],
  [/undefined|uninitialized|indirect call/, /table index is out of bounds|null function|signature/],
  [/unreachable/, /unreachable/],
  [/call stack exhausted/, /call stack/],
];

/** How a module is rewritten: two forms for the sandbox, and one for engines that know nothing of it. */
type Form = MeterForm | "standalone";

function rewritten(bytes: Uint8Array, form: Form): Uint8Array<ArrayBuffer> {
  return meterModule(bytes, form === "standalone" ? { standalone: true } : { form }).bytes;
}

class SuiteRun {
  readonly passed = new Map<string, number>();
  readonly failures: string[] = [];
  readonly refused = new Map<string, number>();
  readonly #imports: WebAssembly.Imports = { spectest: spectest() };
  readonly #named = new Map<string, WebAssembly.Instance>();
  #current: WebAssembly.Instance | undefined;
  readonly #files: Map<string, Uint8Array>;
  readonly #suite: string;
  readonly #form: Form;
  /** Fuel that the last command used, if it ended without a trap. */
  fuel: bigint | undefined;

  constructor(suite: string, form: Form, files: Map<string, Uint8Array>) {
    this.#suite = suite;
    this.#form = form;
    this.#files = files;
  }

  #instance(name: string | undefined): WebAssembly.Instance | undefined {
    return name === undefined ? this.#current : this.#named.get(name);
  }

  #bytes(command: Command): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#files.get(`${this.#suite}/${command.filename}`)!);
  }

  #instantiate(bytes: Uint8Array): WebAssembly.Instance {
    const metered = new WebAssembly.Module(rewritten(bytes, this.#form));
    const instance = new WebAssembly.Instance(metered, this.#imports);
    const start = instance.exports[METER_EXPORTS.start];
    if (typeof start === "function") start();
    return instance;
  }

  #act(action: Action): unknown {
    const exported = this.#instance(action.module)!.exports[action.field]!;
    if (action.type === "get" && exported instanceof WebAssembly.Global) return exported.value;
    return Reflect.apply(exported as () => unknown, undefined, (action.args ?? []).map(decode));
  }

  run(command: Command): void {
    this.fuel = undefined;
    if (EXCLUDED.has(`${this.#suite}:${command.line}`)) return;
    try {
      if (this.#step(command)) this.passed.set(command.type, (this.passed.get(command.type) ?? 0) + 1);
    } catch (error) {
      this.failures.push(`${this.#suite}:${command.line} ${command.type} ${String(error)}`);
    }
  }

  #step(command: Command): boolean {
    switch (command.type) {
      case "module":
        return this.#module(command);
      case "register":
        this.#imports[command.as!] = this.#instance(command.name)?.exports ?? {};
        return true;
      case "assert_malformed":
      case "assert_invalid":
        return command.module_type === "binary" && this.#mustRefuse(command);
      case "assert_unlinkable":
        return this.#mustFail(command, /LinkError|module is not an object/);
      case "assert_uninstantiable":
        return this.#mustFail(command, /RuntimeError/);
      default:
        return this.#instance(command.action?.module) !== undefined && this.#assertAction(command);
    }
  }

  #module(command: Command): boolean {
    this.#current = undefined;
    try {
      this.#current = this.#instantiate(this.#bytes(command));
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      return this.#noteRefusal(error);
    }
    if (command.name !== undefined) this.#named.set(command.name, this.#current);
    return true;
  }

  /** Refused by the decoder, or by the engine that sees both the original and the rewritten module. */
  #mustRefuse(command: Command): boolean {
    const bytes = this.#bytes(command);
    let metered: Uint8Array<ArrayBuffer>;
    try {
      metered = rewritten(bytes, this.#form);
    } catch (error) {
      expect(error).toBeInstanceOf(FailureError);
      return true;
    }
    if (WebAssembly.validate(bytes)) return false; // newer features than the suite's
    expect(WebAssembly.validate(metered), "an invalid module became valid").toBe(false);
    return true;
  }

  #mustFail(command: Command, wanted: RegExp): boolean {
    let thrown: unknown;
    try {
      this.#instantiate(this.#bytes(command));
    } catch (error) {
      if (error instanceof FailureError) return this.#noteRefusal(error);
      thrown = error;
    }
    expect(String(thrown)).toMatch(wanted);
    return true;
  }

  #noteRefusal(error: FailureError): boolean {
    const reason = error.detail.replace(/ at byte.*/, "");
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    return false;
  }

  #assertAction(command: Command): boolean {
    const action = command.action!;
    if (action.args?.some(hasNanBits) === true) return false; // JavaScript cannot pass them
    if (this.#form === "standalone") return this.#assertStandalone(command, action);
    const gauges = gaugesOf(this.#instance(action.module)!.exports);
    refillStack(gauges);
    gauges.fuel.value = FULL_TANK;
    gauges.hint.value = 0;
    if (command.type === "action" || command.type === "assert_return") {
      this.#assertResults(command, action);
      this.fuel = FULL_TANK - gauges.fuel.value;
      return true;
    }
    let thrown: unknown;
    try {
      this.#act(action);
    } catch (error) {
      thrown = error;
    }
    expect(thrown, "no trap").toBeDefined();
    const { name } = failureKind(failureOfTrap(thrown, gauges).code);
    this.fuel = this.#form === "precise" ? FULL_TANK - gauges.fuel.value : undefined;
    if (this.#form === "fast") return true; // the precise form tells which
    const wanted = TRAP_NAMES.find(([pattern]) => pattern.test(command.text ?? ""))?.[1] ?? "?";
    expect(wanted.split("|"), command.text).toContain(name);
    return true;
  }

  #assertResults({ expected = [] }: Command, action: Action): void {
    const result = this.#act(action);
    const results = expected.length > 1 ? (result as unknown[]) : [result];
    expected.forEach((value, i) => expectValue(results[i], value));
  }

  /** Everything but the global of fuel is as it was, the words of traps included. */
  #assertStandalone(command: Command, action: Action): boolean {
    const tank = this.#instance(action.module)!.exports[METER_EXPORTS.fuel] as WebAssembly.Global<"i64">;
    tank.value = FULL_TANK;
    if (command.type === "action" || command.type === "assert_return") {
      this.#assertResults(command, action);
      this.fuel = FULL_TANK - tank.value;
      return true;
    }
    const [, wanted] = PLAIN_TRAPS.find(([pattern]) => pattern.test(command.text ?? ""))!;
    expect(() => this.#act(action), command.text).toThrow(wanted);
    return true;
  }
}

function expectValue(found: unknown, { type, value }: Value): void {
  if (type === "funcref" || (type === "externref" && value === "null")) {
    expect(found === null).toBe(value === "null");
  } else {
    const wanted = decode({ type, value });
    expect(Object.is(found, wanted), `got ${String(found)}, want ${type} ${value}`).toBe(true);
  }
}

describe.skipIf(!existsSync(ARCHIVE))("the WebAssembly core suite, metered", () => {
  it("behaves as without metering in all forms, wherever the profile accepts the module", () => {
    const files = new Map(tarEntries(gunzipSync(readFileSync(ARCHIVE))));
    const totals = new Map<string, number>();
    const refused = new Map<string, number>();
    const failures: string[] = [];
    let compared = 0;
    let standaloneReturns = 0;
    for (const [path, bytes] of files) {
      const suite = path.split("/")[0]!;
      if (!path.endsWith(`/${suite}.json`) || REFUSED_SUITES.some((pattern) => pattern.test(suite))) continue;
      const { commands } = JSON.parse(new TextDecoder().decode(bytes)) as { commands: Command[] };
      const fast = new SuiteRun(suite, "fast", files);
      const precise = new SuiteRun(suite, "precise", files);
      const standalone = new SuiteRun(suite, "standalone", files);
      for (const command of commands) {
        fast.run(command);
        precise.run(command);
        standalone.run(command);
        if (fast.fuel === undefined) continue;
        compared += 1;
        if (fast.fuel !== precise.fuel)
          failures.push(`${suite}:${command.line} costs ${fast.fuel} fast, ${precise.fuel} precise`);
      }
      failures.push(...fast.failures, ...precise.failures, ...standalone.failures);
      standaloneReturns += standalone.passed.get("assert_return") ?? 0;
      for (const [from, to] of [
        [precise.passed, totals],
        [precise.refused, refused],
      ] as const)
        for (const [key, count] of from) to.set(key, (to.get(key) ?? 0) + count);
    }
    console.log("core suite, passed:", Object.fromEntries(totals), "refused:", Object.fromEntries(refused));
    console.log(`core suite: ${compared} results cost the same fuel in both forms`);
    expect(failures).toEqual([]);
    expect(totals.get("assert_return")).toBeGreaterThan(15_000);
    expect(compared).toBeGreaterThan(15_000);
    expect(standaloneReturns).toBe(totals.get("assert_return"));
  });
});
if (!existsSync(ARCHIVE))
  console.log("core suite skipped: ../shared/conformance/wasm-core.tar.gz is missing");
