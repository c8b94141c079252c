import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TextStopper } from "./text-stopper.ts";

/** What has been told after each piece, and at the end. */
function told(stop: readonly string[], pieces: readonly string[]): string[] {
  const stopper = new TextStopper(stop);
  const parts: string[] = [];
  for (const piece of pieces) {
    parts.push(stopper.push(piece));
    if (stopper.isStopped) break;
  }
  return [...parts, stopper.end("")];
}

describe("a text with stop texts", () => {
  it("ends before one that comes in pieces, none of which was told", () => {
    expect(told(["Lily"], ["a girl named L", "il", "y. She"])).toEqual(["a girl named ", "", "", ""]);
  });

  it("tells what only seemed to be the beginning of one", () => {
    expect(told(["stop"], ["st", "ep", " st"])).toEqual(["", "step", " ", "st"]);
  });

  it("ends at the one that is complete first, the longest of those", () => {
    expect(told(["a", "bab"], ["cba", "b"]).join("")).toBe("cb");
    expect(told(["a", "bab"], ["cbab"]).join("")).toBe("cb");
    expect(told(["ab", "b"], ["cab"]).join("")).toBe("c");
  });

  it("ends at the same place, whatever way the text is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 30 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(letters, stops, fc.array(fc.nat(30), { maxLength: 6 }), (text, stop, cuts) => {
        const edges = [0, ...cuts.filter((cut) => cut <= text.length).toSorted((a, b) => a - b), text.length];
        const pieces = edges.slice(1).map((edge, i) => text.slice(edges[i], edge));
        let expected = text;
        for (let end = 1; end <= text.length; end += 1) {
          const longest = stop
            .filter((each) => text.slice(0, end).endsWith(each))
            .toSorted((a, b) => b.length - a.length)[0];
          if (longest !== undefined) {
            expected = text.slice(0, end - longest.length);
            break;
          }
        }
        expect(told(stop, pieces).join("")).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});
