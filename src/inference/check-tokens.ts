import type { OpenedModel } from "./backend.ts";

/** Whether tokens can be taken in from a position on. @throws RangeError as `Decoder.forward` does */
export function checkTokens({ shape }: OpenedModel, position: number, tokens: readonly number[]): void {
  const { vocabulary, context } = shape;
  for (const token of tokens)
    if (!(Number.isInteger(token) && token >= 0 && token < vocabulary))
      throw new RangeError(`no token ${token}`);
  if (position + tokens.length > context) throw new RangeError(`the context has ${context} positions`);
}
