import { isStorageFull, StorageError, storageError } from "./storage-error.ts";

/** A chunk is written in a few milliseconds, on a slow disk in a hundred times that. */
const REMOVE_TRIES = 20;
const REMOVE_PAUSE_MS = 50;

/**
 * Chunks of one model as files of a folder in the origin's private file system, named by their number. A file that has been closed
 * is whole whatever happens to the tab after it, and writing one copies no other; in one large file, a writer would copy
 * all that is there at every start and keep nothing until its end (File System Standard, createWritable).
 */
export class ChunkFolder {
  readonly #folder: FileSystemDirectoryHandle;

  constructor(folder: FileSystemDirectoryHandle) {
    this.#folder = folder;
  }

  /** @throws StorageError `full`, `denied` */
  async write(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    let writable: FileSystemWritableFileStream | undefined;
    try {
      const handle = await this.#folder.getFileHandle(String(index), { create: true });
      writable = await handle.createWritable();
      await writable.write(bytes);
      await writable.close();
    } catch (error) {
      await writable?.abort().catch(() => undefined);
      throw storageError(error);
    }
  }

  /** The file of a chunk, if it is there with that many bytes. It is read when it is used. */
  async find(index: number, bytes: number): Promise<File | undefined> {
    try {
      const file = await (await this.#folder.getFileHandle(String(index))).getFile();
      return file.size === bytes ? file : undefined;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw storageError(error);
    }
  }
}

/** The folder of all models, by name; made at the first time. @throws StorageError `denied` in private mode or a blocked frame */
export async function openModelsFolder(name: string): Promise<FileSystemDirectoryHandle> {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(name, { create: true });
  } catch (error) {
    throw storageError(error);
  }
}

/**
 * Whether the browser grants that many bytes more. Chromium tells every page the same estimate, ten gigabytes, whatever the disk has (seen
 * in version 156, against fingerprints), but asks the true quota when a file grows: this grows one by a hole and forgets it.
 */
export async function hasRoomFor(folder: FileSystemDirectoryHandle, bytes: number): Promise<boolean> {
  const name = `probe-${crypto.randomUUID()}`;
  try {
    const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
    try {
      await writable.truncate(bytes);
      return true;
    } catch (error) {
      if (isStorageFull(error)) return false;
      throw error;
    } finally {
      await writable.abort().catch(() => undefined);
    }
  } catch (error) {
    throw storageError(error);
  } finally {
    await removeFolder(folder, name);
  }
}

/**
 * Removes a model's folder with all that is in it; nothing happens where there is none. A file that is being written is locked for
 * some milliseconds: what is locked for longer stays, for `removeOthers`. @throws StorageError
 */
export async function removeFolder(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES; tries += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      await folder.removeEntry(name, { recursive: true });
      return;
    } catch (error) {
      if (isAbsent(error)) return;
      if (!(error instanceof DOMException && error.name === "NoModificationAllowedError"))
        throw storageError(error);
    }
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, REMOVE_PAUSE_MS));
  }
}

/** Removes all that is in the folder but what is named: models that were deleted while a tab wrote to them, or died. */
export async function removeOthers(
  folder: FileSystemDirectoryHandle,
  names: ReadonlySet<string>,
): Promise<void> {
  for await (const name of folder.keys()) if (!names.has(name)) await removeFolder(folder, name);
}

/** @throws StorageError `closed` when somebody deletes it meanwhile */
export async function openFolder(
  folder: FileSystemDirectoryHandle,
  name: string,
  create: boolean,
): Promise<ChunkFolder> {
  try {
    return new ChunkFolder(await folder.getDirectoryHandle(name, { create }));
  } catch (error) {
    if (isAbsent(error)) throw new StorageError("closed", "storage: the model was deleted", { cause: error });
    throw storageError(error);
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}
