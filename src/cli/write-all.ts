/** Writes to a standard stream and waits until it is out: a pipe may be slow, and the process ends right after. */
export async function writeAll(stream: NodeJS.WriteStream, data: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.write(data, (error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
