import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEFAULT_AUDIT_POLICY } from "./audit-policy.ts";
import { ENTRY_TYPES } from "./messages/entry.ts";
import { MESSAGE_TYPE, RELAY_PATHS } from "./relay-api.ts";
import type { JsonForm } from "./vectors/json-form.contract.ts";
import { FRAME } from "./work-frame.ts";
import { unpadded, WIRE_DOC, withGeneratedParts } from "./wire-doc.contract.ts";

const document = unpadded(readFileSync(WIRE_DOC, "utf8"));
const HEADER = new Set(["v", "origin", "asset", "crit", "ext"]);
/** Maps whose own fields have rows of their own in the table above them. */
const SPELLED_OUT = new Set(["work", "limits", "verify", "run"]);
const GROUPS = ["session", "job", "lease", "task", "receipt", "audit", "payout", "run", "frame"];

interface Row {
  readonly name: string;
  readonly type?: string;
  readonly body: JsonForm;
}

function rows(file: string, list: string): readonly Row[] {
  return JSON.parse(readFileSync(new URL(`vectors/${file}.json`, import.meta.url), "utf8"))[list] ?? [];
}

/** Of a map; what stands for one value, as `$cid`, has none. */
function innerFields(name: string, value: JsonForm): readonly string[] {
  return Object.keys(value)
    .filter((inner) => !inner.startsWith("$"))
    .map((inner) => `${name}.${inner}`);
}

/** Field names of the body, and of the maps in it that the page spells out as `map.field`. */
function fieldsOf(body: JsonForm): readonly string[] {
  const names: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    names.push(name);
    if (SPELLED_OUT.has(name)) names.push(...innerFields(name, value));
  }
  return names;
}

/** Every field that some vector of the kind has. */
function documented(): ReadonlyMap<string, ReadonlySet<string>> {
  const kinds = new Map<string, Set<string>>();
  for (const group of GROUPS) {
    for (const row of [...rows(group, "messages"), ...rows(group, "parts")]) {
      const kind = row.type ?? row.name.split(",")[0]?.split(" ")[0] ?? "";
      const known = kinds.get(kind) ?? new Set<string>();
      kinds.set(kind, known);
      for (const field of fieldsOf(row.body)) {
        if (row.type === undefined || !HEADER.has(field)) known.add(field);
      }
    }
  }
  return kinds;
}

/** Names in the first column of the table below a heading. */
function tableBelow(heading: string): readonly string[] {
  const start = document.indexOf(`\n### ${heading}\n`);
  if (start < 0) return [];
  const section = document.slice(start + 5).split(/\n##/u)[0] ?? "";
  return [...section.matchAll(/^\| `([^`]+)` \|/gmu)].map((match) => match[1] ?? "");
}

describe("docs/wire.md", () => {
  test("has generated parts that are up to date", () => {
    expect(unpadded(withGeneratedParts(document))).toBe(document);
    expect(document.match(/<!-- generated: \w+ -->\n\|/gu)).toHaveLength(3);
  });

  test.each([...documented()])("has a row for every field of %s and none besides", (kind, fields) => {
    expect(tableBelow(kind).toSorted()).toEqual([...fields].toSorted());
  });

  test("has a row for every entry type, with the fields of its body", () => {
    const entries = rows("entry", "entries");
    const lines = (document.split("| type | body | meaning |")[1]?.split("\n\n")[0] ?? "").split("\n");
    for (const type of ENTRY_TYPES) {
      const line = lines.find((text) => text.startsWith(`| \`${type}\` | `));
      expect(line, type).toBeDefined();
      const all = entries.filter((row) => row.type === type).flatMap((row) => Object.keys(row.body));
      if (line?.includes("as deposit") === true) continue;
      for (const field of new Set(all)) expect(line, `${type}.${field}`).toContain(`\`${field}\``);
    }
  });

  test("has the numbers that a relay audits by unless its operator says otherwise", () => {
    const section = document.split("\n### audit-policy\n")[1]?.split("\n##")[0] ?? "";
    for (const [name, value] of Object.entries(DEFAULT_AUDIT_POLICY))
      expect(section, name).toMatch(new RegExp(`^\\| \`${name}\` \\| [^|]+ \\| ${value} \\| `, "mu"));
  });

  test("has every frame with its kind", () => {
    for (const [name, kind] of Object.entries(FRAME))
      expect(document).toContain(`| \`${name}\` | ${kind} | `);
  });

  test("has every path of the relay and the content type of messages", () => {
    for (const path of Object.values(RELAY_PATHS)) expect(document).toContain(`| \`${path}\` | `);
    expect(document).toContain(`\`${MESSAGE_TYPE}\``);
  });
});
