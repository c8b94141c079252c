import { FailureError } from "../protocol/failure.ts";
import type { MeshStream, StreamHandler } from "./mesh.ts";

/** Runs a handler; what it throws aborts its stream. */
export async function answerStream(handler: StreamHandler, stream: MeshStream): Promise<void> {
  try {
    await handler(stream);
  } catch (error) {
    const failure = error instanceof FailureError ? error : undefined;
    stream.abort(failure ?? new FailureError("disconnected", "the answering side failed", { cause: error }));
  }
}
