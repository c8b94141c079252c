import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ForgedCheckpointError } from "../../sdk/index.ts";
import type { HomeFolder } from "./folder.ts";

/**
 * Writes what convicts a relay into this person's folder, once. At once and without waiting: the command is about to end.
 * @returns the file; undefined where the error proves nothing to others, or it cannot be written.
 */
export function keepEvidence(error: unknown, { evidence }: HomeFolder): string | undefined {
  if (!(error instanceof ForgedCheckpointError)) return undefined;
  const name = createHash("sha256").update(error.file).digest("hex").slice(0, 16);
  const path = join(evidence, `${name}.tabmesh-evidence`);
  try {
    mkdirSync(evidence, { recursive: true, mode: 0o700 });
    writeFileSync(path, error.file, { mode: 0o600 });
    return path;
  } catch {
    return undefined;
  }
}
