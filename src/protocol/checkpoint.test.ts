/* oxlint-disable no-await-in-loop -- every character in turn */
import { webcrypto } from "node:crypto";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  checkpointText,
  noteVerifierKey,
  parseCheckpoint,
  readCheckpoint,
  readVerifierKey,
  signCheckpoint,
} from "./checkpoint.ts";
import { verifierOf } from "./ed25519.ts";
import { failureKind } from "./failure-code.ts";
import { FailureError } from "./failure.ts";
import { keyFromPeerId } from "./peer-id.ts";
import { type Cast, makeCast, ORIGIN } from "./vectors/cast.contract.ts";

const verify = verifierOf(webcrypto.subtle);
const ROOT = new Uint8Array(32).fill(0xab);
let cast: Cast;
let note: string;
let key: Uint8Array;
beforeAll(async () => {
  cast = await makeCast();
  key = keyFromPeerId(cast.log.key);
  note = await noteOf(ORIGIN, 7);
});

async function noteOf(origin: string, size: number): Promise<string> {
  return signCheckpoint({ origin, size, root: ROOT }, key, async (message) => cast.log.sign(message));
}

/** Accepted, or the name of the failure; anything but a FailureError is thrown on. */
async function verdictOn(text: string, origin = ORIGIN, under = key): Promise<string> {
  try {
    const { claim } = parseCheckpoint(text, origin, under);
    return (await verify(claim.key, claim.message, claim.signature)) ? "accepted" : "signature does not hold";
  } catch (error) {
    if (error instanceof FailureError) return failureKind(error.code).name;
    throw error;
  }
}

test("the log's key is written as tools for signed notes take it, and read back", () => {
  const raw = new Uint8Array(32).fill(7);
  const text = noteVerifierKey("log.example/a", raw);
  expect(text).toMatch(/^log\.example\/a\+[\da-f]{8}\+AQ[\w+/]+=*$/u);
  expect(readVerifierKey(text)).toEqual({ origin: "log.example/a", key: raw });
  expect(readVerifierKey(text.replace("log", "fog"))).toBeUndefined();
  expect(readVerifierKey("nothing")).toBeUndefined();
});

describe("A checkpoint", () => {
  test("is a signed note of three lines", () => {
    const [origin, size, root, blank, signature, end] = note.split("\n");
    expect([origin, size, root, blank, end]).toEqual([
      ORIGIN,
      "7",
      Buffer.from(ROOT).toString("base64"),
      "",
      "",
    ]);
    expect(signature).toMatch(/^\u2014 relay\.example\/log [A-Za-z0-9+/]+=*$/u);
    expect(note.startsWith(checkpointText({ origin: ORIGIN, size: 7, root: ROOT }))).toBe(true);
  });

  test("is read and verified", async () => {
    expect(parseCheckpoint(note, ORIGIN, key)).toMatchObject({ origin: ORIGIN, size: 7, root: ROOT, note });
    expect(readCheckpoint(note, ORIGIN)).toEqual({ origin: ORIGIN, size: 7, root: ROOT });
    expect(await verdictOn(note)).toBe("accepted");
  });

  test.each([
    ["sum.golang.org", "033de0ae", "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"],
    ["PeterNeumann", "c74f20a3", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
  ])("names the key of %s as that log's published verifier key does", async (origin, id, encoded) => {
    const published = Buffer.from(encoded, "base64").subarray(1);
    const signed = await signCheckpoint(
      { origin, size: 1, root: ROOT },
      published,
      async () => new Uint8Array(64),
    );
    const signature = signed.trimEnd().split(" ").at(-1) ?? "";
    expect(Buffer.from(signature, "base64").subarray(0, 4).toString("hex")).toBe(id);
  });

  test("is refused with any of its bytes changed, left out or doubled", async () => {
    const bytes = Buffer.from(note, "utf8");
    for (let at = 0; at < bytes.length; at += 1) {
      const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
      const variants = [
        Buffer.concat([before, after.subarray(1)]),
        Buffer.concat([before, bytes.subarray(at, at + 1), after]),
        ...[1, 2, 0x20, 0x80].map((flip) =>
          Buffer.concat([before, Buffer.of(bytes[at]! ^ flip), after.subarray(1)]),
        ),
      ];
      for (const variant of variants) {
        if (variant.equals(bytes)) continue;
        expect(await verdictOn(variant.toString("utf8")), variant.toString("utf8")).not.toBe("accepted");
      }
    }
  });

  test("is refused when cut anywhere or followed by anything", async () => {
    for (let end = 0; end < note.length; end += 1) {
      expect(await verdictOn(note.slice(0, end))).toBe("forged-checkpoint");
    }
    for (const more of ["\n", " ", "x", "\u2014", note, "\n\n"]) {
      expect(await verdictOn(note + more), JSON.stringify(more)).not.toBe("accepted");
    }
  });

  test("of another log or under another key is refused", async () => {
    expect(await verdictOn(note, "relay.example/other")).toBe("forged-checkpoint");
    expect(await verdictOn(note, ORIGIN, keyFromPeerId(cast.draw.key))).toBe("forged-checkpoint");
    expect(await verdictOn(await noteOf("relay.example/other", 7))).toBe("forged-checkpoint");
  });

  test("may carry signatures of witnesses, before and after the log's own", async () => {
    const [text = "", own = ""] = note.split("\n\n");
    const witness = `\u2014 witness.example ${Buffer.alloc(76).toString("base64")}\n`;
    expect(await verdictOn(`${text}\n\n${witness}${own}`)).toBe("accepted");
    expect(await verdictOn(`${text}\n\n${own}${witness}`)).toBe("accepted");
    expect(await verdictOn(`${text}\n\n${own}${witness.repeat(15)}`)).toBe("accepted");
    expect(await verdictOn(`${text}\n\n${own}${witness.repeat(16)}`)).toBe("forged-checkpoint");
    expect(await verdictOn(`${text}\n\n${witness}`)).toBe("forged-checkpoint");
    for (const line of [
      "hello\n",
      "\u2014 witness.example\n",
      "\u2014 a+b AAAAAAAA\n",
      "\u2014  AAAAAAAA\n",
      "\u2014 w AAAA\n",
      "\u2014 w A=A=\n",
    ]) {
      expect(await verdictOn(`${text}\n\n${own}${line}`), line).toBe("forged-checkpoint");
    }
  });

  test("has a size without a sign, leading zeros, or more than 2^53", async () => {
    for (const size of [
      "07",
      "+7",
      "-7",
      "7.0",
      "7e0",
      " 7",
      "",
      "0x7",
      "9007199254740992",
      "9".repeat(400),
    ]) {
      expect(await verdictOn(note.replace("\n7\n", `\n${size}\n`)), size).toBe("forged-checkpoint");
    }
    expect(await verdictOn(await noteOf(ORIGIN, 0))).toBe("accepted");
    expect(await verdictOn(await noteOf(ORIGIN, Number.MAX_SAFE_INTEGER))).toBe("accepted");
  });

  test("is not signed for an origin that cannot be a key name", async () => {
    for (const origin of ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\u0000b"]) {
      await expect(noteOf(origin, 1)).rejects.toThrow(RangeError);
    }
  });

  test("that is noise is refused without another kind of error", async () => {
    const [text = "", own = ""] = note.split("\n\n");
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(text, own, "\n", "\n\n", "\u2014 ", ORIGIN, "\ud800"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const noise = pieces.join("");
        if (noise !== note) expect(await verdictOn(noise)).not.toBe("accepted");
      }),
      { numRuns: 500 },
    );
  });
});
