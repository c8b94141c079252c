import { hkdfSync, randomBytes, webcrypto } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { toHex } from "../protocol/bytes.ts";
import { peerIdFromSeed, SEED_BYTES } from "../protocol/ed25519.ts";
import type { RelayKeys } from "../protocol/messages/entry.ts";
import { keyFromPeerId } from "../protocol/peer-id.ts";
import { writePrivateFile } from "./data-dir.ts";

/** The relay's secrets: seeds of three signing keys (rule 12), and of its identity in the mesh. */
export interface RelaySeeds {
  readonly log: Uint8Array;
  readonly lease: Uint8Array;
  readonly draw: Uint8Array;
  readonly mesh: Uint8Array;
}

/** What is kept beside the accounts. */
export interface KeptSeeds {
  readonly origin: string;
  readonly seeds: RelaySeeds;
  /** A key whose rotation has begun: written before the log knows of it, taken over or dropped at the next start. */
  readonly next?: { readonly purpose: keyof RelayKeys; readonly seed: Uint8Array };
}

const FORMAT = "tabmesh-relay-keys-1";

export function newSeeds(): RelaySeeds {
  return {
    log: randomBytes(SEED_BYTES),
    lease: randomBytes(SEED_BYTES),
    draw: randomBytes(SEED_BYTES),
    mesh: randomBytes(SEED_BYTES),
  };
}

/**
 * Seed of the gateway's identity as a requester. It follows from that of the mesh, so that keys made for this gateway count
 * as long as the relay has its key file.
 */
export function gatewaySeed(mesh: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", mesh, new Uint8Array(0), "tabmesh/gateway/1", SEED_BYTES));
}

/** "localhost/" and eight hex digits of the log's key: no two relays on loopback share an origin. */
export async function defaultOrigin(logSeed: Uint8Array): Promise<string> {
  const peer = await peerIdFromSeed(webcrypto.subtle, logSeed);
  return `localhost/${toHex(keyFromPeerId(peer).subarray(0, 4))}`;
}

/**
 * Reads the keys, or makes them at the first start.
 * @param wantedOrigin what the configuration says; fixed once keys exist.
 * @throws Error when the file is damaged or names another origin.
 */
export async function loadSeeds(path: string, wantedOrigin: string | undefined): Promise<KeptSeeds> {
  if (!existsSync(path)) {
    const seeds = newSeeds();
    const kept = { origin: wantedOrigin ?? (await defaultOrigin(seeds.log)), seeds };
    saveSeeds(path, kept);
    return kept;
  }
  const kept = readSeeds(path);
  if (wantedOrigin !== undefined && wantedOrigin !== kept.origin)
    throw new Error(
      `this relay's origin is ${kept.origin} and cannot become ${wantedOrigin}: its log says so`,
    );
  return kept;
}

export function saveSeeds(path: string, { origin, seeds, next }: KeptSeeds): void {
  const text = JSON.stringify(
    {
      format: FORMAT,
      origin,
      log: toHex(seeds.log),
      lease: toHex(seeds.lease),
      draw: toHex(seeds.draw),
      mesh: toHex(seeds.mesh),
      ...(next === undefined ? {} : { next: { purpose: next.purpose, seed: toHex(next.seed) } }),
    },
    undefined,
    2,
  );
  writePrivateFile(path, `${text}\n`);
}

/** @throws Error naming the file, never its content. */
export function readSeeds(path: string): KeptSeeds {
  const file = parse(path);
  const origin = field(file, "origin");
  if (field(file, "format") !== FORMAT || typeof origin !== "string") throw damaged(path);
  const next = field(file, "next");
  const purpose = field(next, "purpose");
  const seeds = {
    log: seedOf(file, "log", path),
    lease: seedOf(file, "lease", path),
    draw: seedOf(file, "draw", path),
    mesh: seedOf(file, "mesh", path),
  };
  if (purpose !== "log" && purpose !== "lease" && purpose !== "draw") return { origin, seeds };
  return { origin, seeds, next: { purpose, seed: seedOf(next, "seed", path) } };
}

function damaged(path: string): Error {
  return new Error(`${path} is not a file of relay keys; restore it from a backup`);
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw damaged(path);
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function seedOf(file: unknown, name: string, path: string): Uint8Array {
  const hex = field(file, name);
  if (typeof hex !== "string" || !/^[0-9a-f]{64}$/u.test(hex)) throw damaged(path);
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
