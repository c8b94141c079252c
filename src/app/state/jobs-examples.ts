// oxlint-disable-next-line import/default -- made by the bundler, see bundled.d.ts
import raytrace from "../../../examples/raytrace/raytrace.wasm?url";
// oxlint-disable-next-line import/default
import summarise from "../../../examples/component-c/summarise.wasm?url";
// oxlint-disable-next-line import/default
import wordcount from "../../../examples/wordcount-c/wordcount.wasm?url";
import type { InputSource } from "./jobs-inputs.ts";

/** A function that comes with the app, with inputs to begin with. */
export interface Example {
  readonly name: string;
  readonly title: string;
  readonly sentence: string;
  readonly url: string;
  readonly source: InputSource;
  /** Its inputs are the tiles of a picture. */
  readonly isPicture: boolean;
}

const POEM: readonly string[] = [
  "Each tab a lantern in the evening town,",
  "and none of them too small to share its light;",
  "the sums go out, the signatures come down,",
  "and what was promised is the same by night.",
];

export const EXAMPLES: readonly Example[] = [
  {
    name: "raytrace.wasm",
    title: "Render a picture",
    sentence: "A path tracer: each tab renders tiles.",
    url: raytrace,
    source: { kind: "nothing" },
    isPicture: true,
  },
  {
    name: "wordcount.wasm",
    title: "Count words",
    sentence: "A WASI program in C, for lines or files.",
    url: wordcount,
    source: { kind: "lines", text: POEM.join("\n") },
    isPicture: false,
  },
  {
    name: "summarise.wasm",
    title: "Describe texts",
    sentence: "A component: JSON goes in and comes out.",
    url: summarise,
    source: { kind: "lines", text: POEM.map((line) => JSON.stringify([line])).join("\n") },
    isPicture: false,
  },
];
