import { describe, expect, test } from "vitest";
import type { JobProgress } from "../../sdk/index.ts";
import { microCredits } from "../../protocol/units.ts";
import { JobDisplay } from "./job-display.ts";
import { LiveBlock } from "./live-block.ts";
import { bar, type JobMoment, plainLine, progressLine, remainingMs } from "./progress-line.ts";
import { TestFile, TestTerminal } from "./terminal.contract.ts";

function moment(changes: Partial<JobMoment> = {}): JobMoment {
  return {
    state: "running",
    total: 144,
    done: 36,
    failed: 0,
    providers: 2,
    reassigned: 0,
    spent: microCredits(12_300),
    testMoney: true,
    elapsedMs: 4_000,
    ...changes,
  };
}

describe("a progress line", () => {
  test("a bar is exact to an eighth of a character", () => {
    expect(bar(0, 4)).toBe("▕    ▏");
    expect(bar(0.5, 4)).toBe("▕██  ▏");
    expect(bar(1 / 32, 4)).toBe("▕▏   ▏");
    expect(bar(1, 4)).toBe("▕████▏");
    expect(bar(7, 4)).toBe("▕████▏");
  });

  test("says how far the job is, who works, what it has cost and how long it will take", () => {
    expect(progressLine(moment(), 120)).toBe(
      "▕████████                        ▏ 36/144 · 2 providers · 0.0123 test credits · 12 s left",
    );
  });

  test.each([20, 30, 40, 60, 80, 200])("fits a terminal of %i columns", (columns) => {
    expect(progressLine(moment({ failed: 3 }), columns).length).toBeLessThan(columns);
  });

  test("counts failed tasks apart", () => {
    expect(progressLine(moment({ failed: 3 }), 120)).toContain("39/144, 3 failed");
  });

  test("money that is real goes by its plain name", () => {
    expect(progressLine(moment({ testMoney: false }), 120)).toContain("0.0123 credits");
  });

  test("has no bar while the number of tasks is not known", () => {
    const { total: _, ...unknown } = moment();
    expect(progressLine(unknown, 120)).toBe("36 · 2 providers · 0.0123 test credits");
  });

  test("guesses no end before anything ended", () => {
    expect(remainingMs(moment({ done: 0 }))).toBeUndefined();
    expect(remainingMs(moment({ state: "settling" }))).toBeUndefined();
  });

  test("a log says in words what the job waits for", () => {
    expect(plainLine(moment({ state: "finding-providers", done: 0, spent: microCredits(0) }))).toBe(
      "looking for providers",
    );
    expect(plainLine(moment())).toBe("36/144, 2 providers, 0.0123 test credits");
  });
});

describe("a block that is redrawn in place", () => {
  test("the last drawing is what stays", () => {
    const terminal = new TestTerminal();
    const block = new LiveBlock(terminal);
    block.draw(["a picture", "of two lines"]);
    block.draw(["another", "two"]);
    block.end();
    terminal.write("after");
    expect(terminal.lines).toEqual(["another", "two", "after"]);
  });

  test("a shorter drawing leaves nothing of a longer one", () => {
    const terminal = new TestTerminal();
    const block = new LiveBlock(terminal);
    block.draw(["one", "two", "three"]);
    block.draw(["1"]);
    expect(terminal.lines).toEqual(["1"]);
  });

  test("a line above moves the block down", () => {
    const terminal = new TestTerminal();
    const block = new LiveBlock(terminal);
    block.draw(["picture", "bar"]);
    block.above("tile 3 failed");
    block.draw(["picture", "bar"]);
    expect(terminal.lines).toEqual(["tile 3 failed", "picture", "bar"]);
  });
});

const START: JobProgress = {
  state: "running",
  total: 20,
  done: 0,
  failed: 0,
  providers: 1,
  reassigned: 0,
  spent: microCredits(0),
};

function shown(screen: TestTerminal | TestFile, options: { quiet?: boolean } = {}) {
  let nowMs = 0;
  const display = new JobDisplay({ screen, testMoney: true, nowMs: () => nowMs, ...options });
  return { display, pass: (ms: number) => void (nowMs += ms) };
}

describe("the display of a job", () => {
  test("a terminal has one line that grows", () => {
    const terminal = new TestTerminal(60);
    const { display, pass } = shown(terminal);
    for (let done = 0; done <= 20; done += 1) {
      display.update({ ...START, done });
      pass(200);
    }
    display.end();
    expect(terminal.lines).toEqual([expect.stringMatching(/^▕█+▏ 20\/20 · 1 provider$/u), ""]);
  });

  test("a note stands above it, once", () => {
    const terminal = new TestTerminal(60);
    const { display } = shown(terminal);
    display.update(START);
    display.update({ ...START, note: "a provider left" });
    display.update({ ...START, note: "a provider left" });
    display.end();
    expect(terminal.lines.filter((line) => line === "a provider left")).toHaveLength(1);
  });

  test("a log gets a line for each state and each tenth, and the end", () => {
    const file = new TestFile();
    const { display, pass } = shown(file);
    display.update({ ...START, state: "finding-providers", providers: 0 });
    for (let done = 0; done <= 20; done += 1) {
      display.update({ ...START, done });
      pass(600);
    }
    display.update({ ...START, state: "done", done: 20 });
    display.end();
    expect(file.lines[0]).toBe("looking for providers");
    expect(file.lines.at(-2)).toBe("20/20, 1 provider");
    expect(file.lines.at(-1)).toBe("done");
    expect(file.lines.length).toBeLessThanOrEqual(14);
  });

  test("a log of a quick job is short", () => {
    const file = new TestFile();
    const { display } = shown(file);
    for (let done = 0; done <= 20; done += 1) display.update({ ...START, done });
    expect(file.lines).toEqual(["running, 1 provider", "20/20, 1 provider"]);
  });

  test("quiet says nothing", () => {
    const file = new TestFile();
    const { display } = shown(file, { quiet: true });
    display.update(START);
    display.note("a task failed");
    display.end();
    expect(file.lines).toEqual([]);
  });
});
