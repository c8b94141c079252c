import type { ModelEntry } from "../protocol/model-entry.ts";
import { isCid } from "../protocol/cid.ts";
import type { PublishedModel, Tabmesh } from "../sdk/index.ts";
import { PlainError } from "./plain-error.ts";
import { bytesText } from "./quantities.ts";

const PURPOSE: Readonly<Record<ModelEntry, string>> = {
  generate: "that writes text",
  embed: "that turns texts into vectors",
};

const PURPOSES: Readonly<Record<ModelEntry, string>> = {
  generate: "that write text",
  embed: "that turn texts into vectors",
};

function listed(models: readonly PublishedModel[]): string {
  return models.map(({ name, size }) => `${name} (${bytesText(size)})`).join(", ");
}

/**
 * The model a command works with: the one that is named, by name or CID, or the only one of its kind that the relay keeps.
 * @throws PlainError with those there are, and what to do
 */
export async function pickModel(
  tabmesh: Pick<Tabmesh, "models">,
  entry: ModelEntry,
  { relay, model }: { readonly relay: string; readonly model?: string },
): Promise<string> {
  if (model !== undefined && isCid(model)) return model;
  const all = await tabmesh.models();
  const fit = all.filter((each) => each.entry === entry);
  const named = all.find(({ name }) => name === model);
  const [only] = fit;
  if (named !== undefined && named.entry !== entry)
    throw new PlainError({
      what: `${named.name} is no model ${PURPOSE[entry]}.`,
      ...(fit.length === 0 ? {} : { advice: `There ${fit.length === 1 ? "is" : "are"} ${listed(fit)}.` }),
    });
  if (named !== undefined) return named.cid;
  if (only === undefined)
    throw new PlainError({
      what: `The relay at ${relay} keeps no model ${PURPOSE[entry]}.`,
      advice:
        "Make one with `npx tabmesh model convert` and publish it with `npx tabmesh model publish FILE`, or name another " +
        "relay with --relay.",
    });
  if (model !== undefined)
    throw new PlainError({
      what: `The relay at ${relay} keeps no model named ${model}.`,
      advice: `There ${fit.length === 1 ? "is" : "are"} ${listed(fit)}; a CID names any other.`,
    });
  if (fit.length > 1)
    throw new PlainError({
      what: `The relay at ${relay} keeps ${fit.length} models ${PURPOSES[entry]}.`,
      advice: `Choose one with --model: ${listed(fit)}.`,
    });
  return only.cid;
}
