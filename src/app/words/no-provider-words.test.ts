import { describe, expect, it } from "vitest";
import { describeReasons, REFUSALS } from "../../market/match-job.ts";
import { noProviderWords } from "./no-provider-words.ts";

describe("why no provider takes a job", () => {
  it("has words for every reason that the relay counts", () => {
    for (const refusal of REFUSALS)
      for (const count of [1, 7]) {
        const words = noProviderWords(describeReasons(new Map([[refusal, count]])));
        expect(words?.reasons, refusal).toHaveLength(1);
        expect(words?.reasons[0]?.count).toBe(count);
        expect(words?.reasons[0]?.sentence).toMatch(count === 1 ? /^1 tab / : /^7 tabs /);
        expect(words?.reasons[0]?.advice).not.toBe("");
      }
  });

  it("keeps the relay's counts and their order", () => {
    const words = noProviderWords(
      describeReasons(
        new Map([
          ["busy", 2],
          ["asks more", 1],
        ]),
      ),
    );
    expect(words?.title).toBe("3 tabs are there, but none fits");
    expect(words?.reasons.map(({ sentence }) => sentence)).toEqual([
      "1 tab asks a higher price than this relay pays",
      "2 tabs are busy with other work",
    ]);
  });

  it("says what helps where nobody is connected", () => {
    expect(noProviderWords(describeReasons(new Map()))?.advice).toContain("Switch on Contribute");
  });

  it("says that copies need different owners", () => {
    expect(noProviderWords("1 of 3 providers of distinct owners are here")?.title).toBe(
      "3 tabs of different owners are needed, 1 is here",
    );
  });

  it("leaves other news alone", () => {
    for (const other of ["a provider left: gone", "2 providers: 2 asleep", "providers: none", ""])
      expect(noProviderWords(other)).toBeUndefined();
  });
});
