import type { Mesh } from "../../src/mesh/mesh.ts";

/** Bytes come back as they are: what a round trip costs without any of ours. */
export const ECHO_PROTOCOL = "/tabmesh/echo/1";
/** A `u32be` asks for so many bytes: what a transfer costs without any of ours. */
export const BULK_PROTOCOL = "/tabmesh/bulk/1";

/** Answers both beside the provider, over the same mesh and so over the same connection. */
export function answerBare(mesh: Mesh): void {
  mesh.handle(ECHO_PROTOCOL, (stream) => {
    stream.onBytes(
      (chunk) => void stream.send(chunk),
      () => undefined,
    );
  });
  mesh.handle(BULK_PROTOCOL, (stream) => {
    stream.onBytes(
      (chunk) => void stream.send(new Uint8Array(sizeOf(chunk)).fill(7)),
      () => undefined,
    );
  });
}

function sizeOf(asked: Uint8Array): number {
  return new DataView(asked.buffer, asked.byteOffset).getUint32(0);
}
