import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseCid } from "../../protocol/cid.ts";
import { decodeEntryOf } from "../../protocol/messages/entry.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { signerOf } from "./books-scene.contract.ts";
import { checkBooks } from "./check-books.ts";

/** More where there is time: a soak asks for hundreds. */
const KILLS = Number(process.env["TABMESH_KILLS"] ?? 6);

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tabmesh-killed-"));
  path = join(folder, "books.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Pays in a process of its own, kills that while it works on, and answers with what it had acknowledged: `lines` answers at
 * least.
 */
async function killed(first: number, lines: number): Promise<readonly string[]> {
  const script = fileURLToPath(new URL("killed-payouts.contract.ts", import.meta.url));
  const child = spawn(process.execPath, [script, path, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    said += text;
    // A moment later, to be anywhere in what comes next.
    if (said.split("\n").length > lines) setTimeout(() => child.kill("SIGKILL"), lines % 4);
  });
  await once(child, "close");
  expect(child.signalCode).toBe("SIGKILL");
  return said.split("\n").slice(0, -1);
}

test(
  `a relay that is killed between preparing, paying and answering pays once and loses nothing, ${KILLS} times`,
  { timeout: 30_000 * KILLS },
  async () => {
    const states = new Map<string, string>();
    let round = 0;
    for (let life = 0; life < KILLS; life += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one life after the other, on the same file
      for (const line of await killed(round, 4 + (life % 7))) {
        const [state = "", what = ""] = line.split(" ");
        if (state === "credited") round = Number(what) + 1;
        else if (state !== "ready") states.set(what, state);
      }
      const store = openSqliteStore(path);
      expect(checkBooks(store)).toEqual([]);
      for (const [batch, state] of states) {
        const row = store.payouts.batch(parseCid(batch));
        // What was prepared may have ended without an answer; what was acknowledged to have ended stays so.
        if (state === "prepared") expect(row).toBeDefined();
        else expect(row?.state).toBe(state);
      }
      store.close();
    }
    const store = openSqliteStore(path);
    const deposits = store.entriesOf("deposit").map((index) => {
      const { amount, reference } = decodeEntryOf("deposit", store.entry(index)!).body;
      return { amount, reference };
    });
    // Each life asks again for the credit whose answer the one before had not given.
    expect(deposits.map(({ reference }) => reference)).toEqual(deposits.map((_, index) => `round ${index}`));
    expect([round, round + 1]).toContain(deposits.length);
    const { batches, lines } = store.payouts.everything();
    const left = batches.reduce((sum, { state, total }) => (state === "cancelled" ? sum : sum + total), 0n);
    const { available } = store.account(signerOf("ana").key)!;
    expect(available + left).toBe(BigInt(deposits.length) * 1_000n);
    expect(lines).toHaveLength(batches.length);
    expect(states.size).toBeGreaterThan(KILLS);
    store.close();
  },
);
