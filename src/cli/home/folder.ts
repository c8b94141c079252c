import { randomUUID } from "node:crypto";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Where this person's identity, pinned relays and answers are kept. */
export interface HomeFolder {
  readonly folder: string;
  readonly identity: string;
  readonly relays: string;
  readonly told: string;
  /** Folder of what convicts relays. */
  readonly evidence: string;
}

/** TABMESH_HOME, or .tabmesh in the person's home folder. */
export function homeFolder(env: Readonly<Record<string, string | undefined>>): HomeFolder {
  const named = env["TABMESH_HOME"];
  const folder = named === undefined || named === "" ? join(homedir(), ".tabmesh") : named;
  return {
    folder,
    identity: join(folder, "identity.json"),
    relays: join(folder, "relays.json"),
    told: join(folder, "told.json"),
    evidence: join(folder, "evidence"),
  };
}

/** Text of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a file that only its owner may read, all of it or nothing: a temporary file, synced, renamed. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}.new`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await chmod(path, 0o600);
}

/** The fields of a JSON object; undefined when the text is anything else. */
export function jsonFields(text: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? new Map(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}
