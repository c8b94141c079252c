import { mkdirSync, readdirSync } from "node:fs";
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** A drawn outcome: the receipt's entry and the leaf under it. */
export interface DrawnPlace {
  readonly entry: number;
  readonly leaf: number;
}

const NAME = /^(\d{1,15})-(\d{1,15})$/u;

export function placeName({ entry, leaf }: DrawnPlace): string {
  return `${entry}-${leaf}`;
}

/**
 * Openings from their arrival to their verdict, one file each: a relay that is killed goes on with them, since whoever
 * brought one has been told that it is here. Those of false results stay, as evidence.
 */
export class OpeningFolder {
  readonly #folder: string;
  readonly #evidence: string;

  /** Makes the folder if need be. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#evidence = join(folder, "evidence");
    mkdirSync(this.#evidence, { recursive: true, mode: 0o700 });
  }

  /** What waits for its verdict, in order of the log. */
  waiting(): readonly DrawnPlace[] {
    return placesIn(this.#folder);
  }

  /** What has convicted somebody. */
  convicting(): readonly DrawnPlace[] {
    return placesIn(this.#evidence);
  }

  /** On the disk when this resolves. */
  async put(place: DrawnPlace, opening: Uint8Array): Promise<void> {
    const path = join(this.#folder, placeName(place));
    const file = await open(`${path}.part`, "w", 0o600);
    try {
      await file.writeFile(opening);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
  }

  /** @throws when it is not there */
  async read(place: DrawnPlace): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await readFile(join(this.#folder, placeName(place))));
  }

  async readEvidence(place: DrawnPlace): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await readFile(join(this.#evidence, placeName(place))));
  }

  /** It has its verdict. */
  async drop(place: DrawnPlace): Promise<void> {
    await rm(join(this.#folder, placeName(place)), { force: true });
  }

  /** Somebody is about to be convicted by it: it stays, also when it is dropped. */
  async convict(place: DrawnPlace): Promise<void> {
    const kept = join(this.#evidence, placeName(place));
    // What is left of an attempt before.
    await rm(kept, { force: true });
    await link(join(this.#folder, placeName(place)), kept);
  }
}

function placesIn(folder: string): readonly DrawnPlace[] {
  return readdirSync(folder)
    .map((name) => NAME.exec(name))
    .filter((match) => match !== null)
    .map(([, entry, leaf]) => ({ entry: Number(entry), leaf: Number(leaf) }))
    .toSorted((a, b) => a.entry - b.entry || a.leaf - b.leaf);
}
