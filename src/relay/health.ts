import { access, constants, statfs } from "node:fs/promises";
import type { Mesh } from "../mesh/mesh.ts";
import type { Health } from "./http/http-parts.ts";
import { LEAST_DISK_BYTES, UPKEEP_LATE_MS } from "./limits.ts";
import type { Upkeep } from "./upkeep.ts";

/** Looks whether the relay can do its work: the books settle, the disk takes more, the mesh is up. */
export async function lookAtHealth(
  upkeep: Upkeep,
  mesh: Mesh,
  folder: string,
  nowMs: () => number,
): Promise<Health> {
  const books = nowMs() - upkeep.lastGoodMs < UPKEEP_LATE_MS;
  const disk = await hasRoom(folder);
  const up = mesh.status().kind === "online";
  return { ok: books && disk && up, books, disk, mesh: up };
}

async function hasRoom(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= LEAST_DISK_BYTES;
  } catch {
    return false;
  }
}
