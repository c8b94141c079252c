import type { Mesh, MeshStream } from "../../mesh/mesh.ts";
import { HTTP_HEAD_BYTES, LINE_FACTOR } from "./limits.ts";

/** Told how many bytes went over the line, up or down. */
export type Count = (bytes: number) => void;

/** The same mesh, with the bytes of its streams counted as they are on the line. */
export function countMesh(mesh: Mesh, count: Count): Mesh {
  return {
    peerId: mesh.peerId,
    start: () => mesh.start(),
    stop: () => mesh.stop(),
    addresses: () => mesh.addresses(),
    handle: (protocol, handler, options) =>
      mesh.handle(protocol, (stream) => handler(countStream(stream, count)), options),
    dial: async (address, protocol, options) =>
      countStream(await mesh.dial(address, protocol, options), count),
    status: () => mesh.status(),
    onStatus: (listener) => mesh.onStatus(listener),
  };
}

function countStream(stream: MeshStream, count: Count): MeshStream {
  const note = (bytes: number): void => count(bytes * LINE_FACTOR);
  return {
    protocol: stream.protocol,
    remotePeer: stream.remotePeer,
    send: (bytes) => {
      note(bytes.length);
      return stream.send(bytes);
    },
    async *bytes() {
      for await (const chunk of stream.bytes()) {
        note(chunk.length);
        yield chunk;
      }
    },
    onBytes: (listener, ended) =>
      stream.onBytes((chunk) => {
        note(chunk.length);
        listener(chunk);
      }, ended),
    close: () => stream.close(),
    abort: (reason) => stream.abort(reason),
    transport: () => stream.transport(),
  };
}

/** Statuses of answers without a body: https://fetch.spec.whatwg.org/#null-body-status */
const BODILESS: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/** The same fetch, with what it sends and what is read of its answers counted. Compression by the server is not seen, so it counts too much rather than too little. */
export function countFetch(fetchBytes: typeof fetch, count: Count): typeof fetch {
  return async (input, init) => {
    const body = init?.body;
    count(
      HTTP_HEAD_BYTES +
        (typeof body === "string" ? body.length : body instanceof Uint8Array ? body.length : 0),
    );
    const answer = await fetchBytes(input, init);
    // Chromium shows a body also where there can be none, and lets nobody make such an answer anew.
    if (answer.body === null || BODILESS.has(answer.status)) return answer;
    const counted = answer.body.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (chunk, controller) => {
          count(chunk.length);
          controller.enqueue(chunk);
        },
      }),
    );
    const { status, statusText, headers } = answer;
    return new Response(counted, { status, statusText, headers });
  };
}
