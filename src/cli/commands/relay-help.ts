import { RELAY_SETTINGS } from "../../relay/settings.ts";

/** The relay's settings as a help text lists them. */
export function settingsHelp(): string {
  const rows = RELAY_SETTINGS.map(({ flag, value, env, means }) => ({
    flag: `--${flag}${value === undefined ? "" : ` <${value}>`}`,
    means: `${means} [${env}]`,
  }));
  const width = Math.max(...rows.map(({ flag }) => flag.length));
  const lines = rows.map(({ flag, means }) => `  ${flag.padEnd(width)}  ${means}`);
  return `\nSettings, by flag or by environment:\n${lines.join("\n")}\n\nExample:\n  npx tabmesh relay --port 8787 --data-dir .tabmesh/relay`;
}
