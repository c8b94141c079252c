/** An output as it is kept: here, or where the browser keeps what is large. */
export type KeptOutput = Uint8Array<ArrayBuffer> | Blob;

/** Outputs of one job that lie in this page's memory, bytes. Beyond it they are blobs, which the browser may put on the disk, and which take longer to read. */
const IN_MEMORY_BYTES: number = 64 * 1024 * 1024;

/** Keeps the outputs of one job. */
export class OutputKeeper {
  #bytes = 0;

  keep(output: Uint8Array): KeptOutput {
    const copy = new Uint8Array(output);
    if (this.#bytes + copy.length > IN_MEMORY_BYTES) return new Blob([copy]);
    this.#bytes += copy.length;
    return copy;
  }
}

export function sizeOf(output: KeptOutput): number {
  return output instanceof Blob ? output.size : output.length;
}

export async function bytesOf(output: KeptOutput): Promise<Uint8Array<ArrayBuffer>> {
  return output instanceof Blob ? new Uint8Array(await output.arrayBuffer()) : output;
}

export function blobOf(output: KeptOutput): Blob {
  return output instanceof Blob ? output : new Blob([output]);
}
