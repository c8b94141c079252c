import type { Encoder, EncoderBackend } from "../backend.ts";
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

  // oxlint-disable-next-line typescript/require-await -- errors are rejections, as with other backends
  async encode(texts: readonly (readonly number[])[]): Promise<readonly Int16Array[]> {
    return keptTokens(this.model, texts).map((tokens) => encodeTokens(this.model, tokens));
  }

  close(): void {}
}
