import { Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Located, LocatedField, Position } from "../shape/located.ts";
import { refuse, type TextValue } from "../shape/shape.ts";

/** YAML 1.2, core schema. Loaded when a text is YAML: the library is larger than all else that plans need. */

/** Parts of a text, aliases spelled out: a few anchors could stand for more than any machine holds. */
const MAX_PARTS = 200_000;

/** @throws PlanError naming line and column. */
export function readYaml(text: string): Located {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: "1.2",
    schema: "core",
    stringKeys: true,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) return refuse({ at: positionAt(problem.pos[0]) }, problem.message);
  let parts = 0;

  function located(node: Node | null | undefined, at: Position): Located {
    parts += 1;
    if (parts > MAX_PARTS) refuse({ at }, `the text has more than ${MAX_PARTS} parts, anchors spelled out`);
    if (node === null || node === undefined) return { at, value: null };
    const here = node.range === null || node.range === undefined ? at : positionAt(node.range[0]);
    if (isAlias(node)) {
      const meant = node.resolve(document);
      return meant === undefined
        ? refuse({ at: here }, `there is no anchor "${node.source}" before`)
        : located(meant, here);
    }
    if (isSeq<Node | null>(node)) return { at: here, value: node.items.map((item) => located(item, here)) };
    if (isMap<Node, Node | null>(node)) {
      const fields = new Map<string, LocatedField>();
      for (const { key, value } of node.items) {
        const keyAt = key.range === null || key.range === undefined ? here : positionAt(key.range[0]);
        fields.set(isScalar(key) ? String(key.value) : "", { at: keyAt, value: located(value, keyAt) });
      }
      return { at: here, value: fields };
    }
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (value === null || typeof value === "string" || typeof value === "boolean") return { at: here, value };
    if (typeof value === "number" && Number.isFinite(value)) return { at: here, value };
    return refuse({ at: here }, "is something that JSON does not have");
  }

  return located(document.contents, { line: 1, column: 1 });
}

/** The one text of data, lines as long as they are. */
export function printYaml(value: TextValue): string {
  return new Document(value, { version: "1.2", schema: "core", aliasDuplicateObjects: false }).toString({
    lineWidth: 0,
  });
}
