/** Hands a text to the person as a download. */
export function saveTextFile(name: string, text: string): void {
  save(name, new Blob([text], { type: "application/json" }));
}

/** Hands a text of some other kind to the person as a download. */
export function savePlainText(name: string, text: string): void {
  save(name, new Blob([text], { type: "text/plain" }));
}

/** Hands something put together from many pieces to the person as a download. */
export function savePieces(name: string, pieces: readonly string[], type: string): void {
  save(name, new Blob([...pieces], { type }));
}

/** Hands what convicts somebody to the person as a download: `tabmesh verify` judges it. */
export function saveEvidence(evidence: Uint8Array<ArrayBuffer>): void {
  save("relay.tabmesh-evidence", new Blob([evidence], { type: "application/octet-stream" }));
}

/** Hands something made by strangers to the person as a download: as bytes, so that no browser opens it as a page of this origin. */
export function saveFile(name: string, content: Blob): void {
  save(name, content.slice(0, content.size, "application/octet-stream"));
}

/** Hands a picture that this page has put together to the person as a download. */
export function saveImage(name: string, image: Blob): void {
  save(name, image);
}

function save(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold on the content by the next turn.
  setTimeout(() => URL.revokeObjectURL(url));
}
