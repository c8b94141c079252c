import { en } from "./en.ts";
import type { Words } from "./words.ts";

/** The words of each language, loaded when they are needed; English is there already. */
const LOADERS: Readonly<Record<string, () => Promise<Words>>> = {
  de: async () => (await import("./de.ts")).de,
  es: async () => (await import("./es.ts")).es,
  zh: async () => (await import("./zh.ts")).zh,
  ar: async () => (await import("./ar.ts")).ar,
};

const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(["ar"]);

export interface Tongue {
  /** As in `lang`; formats numbers and times too. */
  readonly language: string;
  readonly direction: "ltr" | "rtl";
  readonly words: Words;
}

/** Words of a language; English where there are none, or they do not arrive. */
export async function loadWords(language: string): Promise<Tongue> {
  try {
    const words = (await LOADERS[language]?.()) ?? en;
    return {
      language: words === en ? "en" : language,
      direction: RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr",
      words,
    };
  } catch {
    return { language: "en", direction: "ltr", words: en };
  }
}
