/** A file that the app brings along. @throws TypeError when it cannot be loaded, as fetch does. */
export async function loadAsset(url: string): Promise<Uint8Array> {
  const answer = await fetch(url);
  if (!answer.ok) throw new TypeError(`${url}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
