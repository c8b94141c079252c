import type { Source } from "../plan.ts";
import { MAX_NAME_BYTES, MAX_NAMES, MAX_TYPE_DEPTH } from "../limits.ts";
import { parseType, printType } from "../text/type-text.ts";
import type { ValueType } from "../value-type.ts";
import { lazyShape, recordShape, unionShape } from "./compound.ts";
import { constantShape } from "./expression-shape.ts";
import { isLocatedMap } from "./located.ts";
import { FIELD_NAMES, NAMES, NODE_NAMES } from "../names.ts";
import { mapShape, textShape, whatIs } from "./parts.ts";
import { readAt, refuse, type Shape } from "./shape.ts";
import { where } from "../../protocol/schema.ts";

const name: Shape<string> = textShape(MAX_NAME_BYTES);

const sourceUnion: Shape<Source> = unionShape<Source, "from">("from", {
  node: recordShape<{ node: string }>({ node: name }),
  param: recordShape<{ param: string }>({ param: name }),
  constant: recordShape<{ json: string }>({ json: constantShape }),
});

/** In text `clean` is the node clean, `$pages` the parameter pages, and `{constant: 3}` a constant. */
export const sourceShape: Shape<Source> = {
  wire: sourceUnion.wire,
  text: {
    write(source) {
      if (source.from === "node") return source.node;
      if (source.from === "param") return `$${source.param}`;
      return { constant: constantShape.text.write(source.json) };
    },
    read(from) {
      const { value } = from;
      if (typeof value === "string") {
        if (value.startsWith("$") && NAMES.pattern.test(value.slice(1)))
          return { from: "param", param: value.slice(1) };
        if (NODE_NAMES.pattern.test(value)) return { from: "node", node: value };
      }
      const constant = isLocatedMap(value) && value.size === 1 ? value.get("constant") : undefined;
      if (constant !== undefined) return { from: "constant", json: constantShape.text.read(constant.value) };
      const what = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : whatIs(value);
      return refuse(
        from,
        `is ${what}, but has to be a node's name, a parameter's name after "$", or {constant: …}`,
      );
    },
  },
};

const typeUnion: Shape<ValueType> = lazyShape(() =>
  unionShape<ValueType, "type">("type", {
    bytes: recordShape<object>({}),
    text: recordShape<object>({}),
    boolean: recordShape<object>({}),
    number: recordShape<object>({}),
    nothing: recordShape<object>({}),
    json: recordShape<object>({}),
    list: recordShape<{ of: ValueType }>({ of: typeUnion }),
    record: recordShape<{ fields: Readonly<Record<string, ValueType>> }>({
      fields: mapShape(typeUnion, FIELD_NAMES, MAX_NAMES),
    }),
    optional: recordShape<{ of: ValueType }>({ of: typeUnion }),
  }),
);

function typeDepth(type: ValueType): number {
  if (type.type === "list" || type.type === "optional") return 1 + typeDepth(type.of);
  if (type.type === "record") return 1 + Math.max(0, ...Object.values(type.fields).map(typeDepth));
  return 1;
}

/** In text as people write it: "list<text>", "{title: text}", "number?". */
export const typeShape: Shape<ValueType> = {
  wire: where(
    typeUnion.wire,
    (type) => typeDepth(type) <= MAX_TYPE_DEPTH + 1,
    `a type nests deeper than ${MAX_TYPE_DEPTH}`,
  ),
  text: {
    write: printType,
    read(from) {
      const { value } = from;
      return typeof value === "string"
        ? readAt(from, () => parseType(value))
        : refuse(from, `is ${whatIs(value)}, but has to be a type as in "list<text>", in quotes`);
    },
  },
};
