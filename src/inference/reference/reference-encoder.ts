import type { Encoder, EncoderBackend } from "../backend.ts";
import { Breaks } from "../breaks.ts";
import { keptTokens } from "../kept-tokens.ts";
import type { EncoderModel } from "../model/encoder-model.ts";
import { encodeTokens } from "./encoder.ts";

/** The specification of sentence encoders as a backend. */
export const referenceEncoderBackend: EncoderBackend = {
  name: "reference",
  openEncoder: (model) => Promise.resolve(new ReferenceEncoder(model)),
};

class ReferenceEncoder implements Encoder {
  readonly model: EncoderModel;
  /** The weights are those of the file, which it does not hold alone. */
  readonly memoryBytes = 0;

  constructor(model: EncoderModel) {
    this.model = model;
  }

  async encode(texts: readonly (readonly number[])[], signal?: AbortSignal): Promise<readonly Int16Array[]> {
    const breaks = new Breaks(signal);
    const vectors: Int16Array[] = [];
    for (const tokens of keptTokens(this.model, texts)) {
      vectors.push(encodeTokens(this.model, tokens));
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await breaks.take();
    }
    return vectors;
  }

  close(): void {}
}
