import type { JSX } from "preact";
import type { Theme } from "../../provider/tab-memory.ts";
import type { Preferences } from "../state/preferences.ts";

const NEXT: Readonly<Record<Theme, Theme>> = { system: "light", light: "dark", dark: "system" };
const WORDS: Readonly<Record<Theme, string>> = { system: "as the system", light: "light", dark: "dark" };

function Picture({ theme }: { readonly theme: Theme }): JSX.Element {
  if (theme === "light") {
    return (
      <>
        <circle cx="12" cy="12" r="4.2" />
        <path d="M12 2.8v2.4M12 18.8v2.4M2.8 12h2.400M18.8 12h2.400M5.5 5.500l1.7 1.700M16.8 16.800l1.7 1.700M5.5 18.500l1.7-1.700M16.8 7.200l1.7-1.7" />
      </>
    );
  }
  if (theme === "dark") return <path d="M20 14.500A8.3 8.3 0 0 1 9.5 4a8.3 8.3 0 1 0 10.5 10.500z" />;
  return (
    <>
      <circle cx="12" cy="12" r="8.2" />
      <path class="half" d="M12 3.800a8.2 8.2 0 0 1 0 16.400z" />
    </>
  );
}

/** Goes through system, light and dark. */
export function ThemeButton({ preferences }: { readonly preferences: Preferences }): JSX.Element {
  const theme = preferences.theme.value;
  const label = `Colours: ${WORDS[theme]}. Change to ${WORDS[NEXT[theme]]}`;
  return (
    <button
      class="icon-button"
      type="button"
      aria-label={label}
      title={label}
      onClick={() => preferences.setTheme(NEXT[theme])}
    >
      <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
        <Picture theme={theme} />
      </svg>
    </button>
  );
}
