import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { FAULT_POINTS } from "./faults.ts";
import { examineBooks, RelayLives } from "./relay-lives.ts";

/** The soak kills two hundred times. */
const KILLS = 11;
const MOST_MS = 150;

let folder = "";
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it(
  "a relay that is killed again and again under load, around commits too, loses no acknowledged receipt and pays none twice",
  { timeout: 120_000 },
  async () => {
    folder = mkdtempSync(join(tmpdir(), "relay-lives-"));
    const lives = await RelayLives.start({ folder, mostMs: MOST_MS });
    try {
      // One life after the other, on the same data.
      for (let life = 0; life < KILLS; life += 1) await lives.kill();
      await lives.checkAll();
    } finally {
      await lives.stop();
    }
    const { reports, ends } = lives.state();
    expect(lives.log.problems).toEqual([]);
    expect(examineBooks(folder)).toEqual([]);
    expect(reports).toBeGreaterThan(KILLS);
    for (const at of FAULT_POINTS) expect(Object.keys(ends)).toContain(`killed at ${at}`);
  },
);
