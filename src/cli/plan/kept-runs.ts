import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeRunRecord, type RunRecord } from "../../plan/run-record.ts";
import { type Cid, isCid } from "../../protocol/cid.ts";
import { homeFolder } from "../home/folder.ts";

/** Records of runs in this person's folder, so that a run can be looked at and verified by its name alone. */

/** Runs that are kept; older ones go. */
const MOST_KEPT = 100;
/** A record that is larger is kept without the values in it: receipts alone, bytes. */
const MOST_BYTES: number = 16 * 1024 * 1024;
const ENDING = ".tabmesh-run";

function folder(): string {
  return join(homeFolder(process.env).folder, "runs");
}

/** Keeps what proves a run. Never rejects: the run itself is over. @returns where it is, if it could be kept */
export async function keepRun(run: Cid, record: RunRecord): Promise<string | undefined> {
  const path = join(folder(), `${run}${ENDING}`);
  try {
    await mkdir(folder(), { recursive: true, mode: 0o700 });
    const whole = encodeRunRecord(record);
    const bytes = whole.length <= MOST_BYTES ? whole : encodeRunRecord({ ...record, values: [] });
    await writeFile(path, bytes, { mode: 0o600 });
    await dropOld();
    return path;
  } catch {
    return undefined;
  }
}

async function dropOld(): Promise<void> {
  const names = (await readdir(folder())).filter((name) => name.endsWith(ENDING));
  if (names.length <= MOST_KEPT) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, ms: (await stat(join(folder(), name))).mtimeMs })),
  );
  const old = aged.toSorted((a, b) => b.ms - a.ms).slice(MOST_KEPT);
  await Promise.all(old.map(({ name }) => rm(join(folder(), name), { force: true })));
}

/** The record of a run by its name. */
export async function keptRun(run: string): Promise<Uint8Array | undefined> {
  if (!isCid(run)) return undefined;
  try {
    return new Uint8Array(await readFile(join(folder(), `${run}${ENDING}`)));
  } catch {
    return undefined;
  }
}

/** Names of the runs that are kept, newest first. */
export async function keptRuns(): Promise<readonly { readonly run: Cid; readonly atMs: number }[]> {
  const names = await readdir(folder()).catch(() => []);
  const runs = await Promise.all(
    names.map(async (name) => {
      const run = name.slice(0, -ENDING.length);
      const { mtimeMs } = await stat(join(folder(), name));
      return isCid(run) && name.endsWith(ENDING) ? [{ run, atMs: mtimeMs }] : [];
    }),
  );
  return runs.flat().toSorted((a, b) => b.atMs - a.atMs);
}
