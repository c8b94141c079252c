import { createHmac, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { nativeHmac } from "./native-hmac.ts";

it("gives what Node's own HMAC gives, whatever the lengths of key and data, in any order of keys", () => {
  const keys = [0, 1, 31, 32, 33, 63, 64, 65, 200].map((length) => new Uint8Array(randomBytes(length)));
  for (const length of [0, 1, 8, 55, 56, 64, 200, 1_024, 1_025, 5_000])
    for (const key of keys) {
      const data = new Uint8Array(randomBytes(length));
      const expected = createHmac("sha256", key).update(data).digest("hex");
      expect(Buffer.from(nativeHmac(key, data)).toString("hex")).toBe(expected);
      expect(Buffer.from(nativeHmac(key, data)).toString("hex")).toBe(expected);
    }
});
