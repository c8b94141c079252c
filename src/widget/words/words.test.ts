import { expect, test } from "vitest";
import { microCredits } from "../../protocol/units.ts";
import { chooseLanguage, elementWords, LANGUAGES } from "../element/element-words.ts";
import { ar } from "./ar.ts";
import { de } from "./de.ts";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { fill } from "./fill.ts";
import { loadWords } from "./load-words.ts";
import { amountText, durationText, siteText, splitText } from "./say.ts";
import { zh } from "./zh.ts";

/** Every sentence of a language by its path. */
function sentences(words: object, path: string = ""): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(words).flatMap(([name, value]: [string, unknown]) =>
      typeof value === "string"
        ? [[`${path}${name}`, value] as const]
        : Array.from(sentences(value as object, `${path}${name}.`)),
    ),
  );
}

function placesIn(sentence: string | undefined): readonly string[] {
  return [...(sentence ?? "").matchAll(/\{\w+\}/gu)].map(([place]) => place).toSorted();
}

test.each(Object.entries({ de, es, zh, ar }))(
  "every sentence in %s is there, and names what the English one names",
  (_, words) => {
    const there = sentences(words);
    for (const [path, sentence] of sentences(en)) {
      expect([path, placesIn(there.get(path))]).toEqual([path, placesIn(sentence)]);
      expect(there.get(path)?.trim()).not.toBe("");
    }
    expect(there.size).toBe(sentences(en).size);
  },
);

test("the languages of the element are those of frame and window", async () => {
  expect(LANGUAGES).toEqual(["en", "de", "es", "zh", "ar"]);
  for (const language of LANGUAGES) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect((await loadWords(language)).language).toBe(language);
    expect(new Set(Object.values(elementWords(language))).size).toBe(Object.keys(elementWords("en")).length);
  }
  expect(await loadWords("tlh")).toMatchObject({ language: "en", direction: "ltr" });
  expect((await loadWords("ar")).direction).toBe("rtl");
});

test("the first language that there are words in is taken, whatever its region", () => {
  expect(chooseLanguage(["fr-CH", "de-CH", "en"])).toBe("de");
  expect(chooseLanguage(["zh-Hant-TW"])).toBe("zh");
  expect(chooseLanguage(["arn", "esu"])).toBe("en");
  expect(chooseLanguage([])).toBe("en");
});

test("amounts, shares and times are told as the language has them, small ones with all their digits", async () => {
  const [english, german] = await Promise.all([loadWords("en"), loadWords("de")]);
  expect(amountText(english, microCredits(1_500), true)).toBe("0.0015 test credits");
  expect(amountText(german, microCredits(12_345_678n), false)).toBe("12,35 Credits");
  expect(durationText(english, 59_999)).toBe("59 sec");
  expect(durationText(english, 3 * 60_000)).toBe("3 min");
  expect(durationText(english, 25 * 3_600_000)).toBe("25 hr");
  expect(splitText(english, "a.example", 0)).toBe("All of it goes to a.example.");
  expect(splitText(english, "a.example", 1_000_000)).toBe("All of it is yours.");
  expect(splitText(english, "a.example", 123_400)).toBe("87.66% goes to a.example, 12.34% is yours.");
  expect(siteText("https://news.example:8443")).toBe("news.example:8443");
});

test("a value that looks like a place is not filled again", () => {
  expect(fill("{site} and {other}", { site: "{other}", other: "b" })).toBe("{other} and b");
  expect(fill("{missing}", {})).toBe("{missing}");
});
