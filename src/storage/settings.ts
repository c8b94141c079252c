import type { EffectGrants } from "../protocol/effect-grants.ts";
import type { BrowserDatabase } from "./database.ts";
import { parseStoredGrants } from "./effect-grants.ts";
import { parseStoredLimits, type StoredLimits } from "./provider-limits.ts";
import { asCount, fieldsOf } from "./stored-value.ts";

export type Theme = "system" | "light" | "dark";

export interface Settings {
  /** Worker threads the person chose; absent: as many as the machine suggests. */
  readonly workers?: number;
  readonly theme: Theme;
  /** Whether models may compute on the graphics card; absent: they may. */
  readonly gpu?: boolean;
  /** The other limits of a provider; absent: UNLIMITED. */
  readonly limits?: StoredLimits;
  /** What the tab may do for others besides; absent: FIRST_GRANTS. */
  readonly effects?: EffectGrants;
}

/** A person's consent to contribute through one relay. */
export interface Consent {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Which text was agreed to; a new text asks again. */
  readonly version: number;
}

/** Choices of the person in front of this browser. */
export interface SettingsShelf {
  load(): Promise<Settings>;
  save(settings: Settings): Promise<void>;
  consent(relayUrl: string): Promise<Consent | undefined>;
  giveConsent(relayUrl: string, consent: Consent): Promise<void>;
  withdrawConsent(relayUrl: string): Promise<void>;
}

const KEY = "page";

function asTheme(value: unknown): Theme {
  return value === "light" || value === "dark" ? value : "system";
}

function parseSettings(value: unknown): Settings {
  const fields = fieldsOf(value);
  const workers = asCount(fields.get("workers"));
  const theme = asTheme(fields.get("theme"));
  const gpu = fields.get("gpu");
  const limits = parseStoredLimits(fields.get("limits"));
  const effects = parseStoredGrants(fields.get("effects"));
  return {
    theme,
    ...(workers === undefined || workers === 0 ? {} : { workers }),
    ...(typeof gpu === "boolean" ? { gpu } : {}),
    ...(limits === undefined ? {} : { limits }),
    ...(effects === undefined ? {} : { effects }),
  };
}

function parseConsent(value: unknown): Consent | undefined {
  const fields = fieldsOf(value);
  const at = asCount(fields.get("at"));
  const version = asCount(fields.get("version"));
  return at === undefined || version === undefined ? undefined : { at, version };
}

export function createSettingsShelf(database: BrowserDatabase): SettingsShelf {
  return {
    load: async () => parseSettings(await database.get("settings", KEY)),
    async save(settings) {
      await database.put("settings", { ...settings }, KEY);
    },
    consent: async (relayUrl) => parseConsent(await database.get("consents", relayUrl)),
    async giveConsent(relayUrl, consent) {
      await database.put("consents", { ...consent }, relayUrl);
    },
    withdrawConsent: async (relayUrl) => database.delete("consents", relayUrl),
  };
}
