import { MAX_PATH_BYTES } from "../limits.ts";
import type { Clock } from "./clock.ts";
import { failWith } from "./errno.ts";
import { FileSystemBudget } from "./file-system-budget.ts";
import { DirectoryInode, FileInode, type Inode } from "./inode.ts";

/** A place in a directory: what it is called there, and what stands there. */
export interface Place {
  readonly directory: DirectoryInode;
  /** Empty when the path names the directory itself. */
  readonly name: string;
  readonly inode: Inode | undefined;
  /** The path ended in a slash, so only a directory will do. */
  readonly wantsDirectory: boolean;
}

/** Files and directories in memory, without symbolic links. Inode numbers follow the order of creation. */
export class FileSystem {
  readonly root: DirectoryInode;
  readonly #clock: Clock;
  readonly #budget: FileSystemBudget;

  /** @param mostBytes of all files together */
  constructor(clock: Clock, mostBytes: number) {
    this.#clock = clock;
    this.#budget = new FileSystemBudget(mostBytes);
    this.root = new DirectoryInode(this.#budget.claimInode(), undefined, clock.realtimeNs);
  }

  /**
   * Finds what `path` names, seen from `base`, which it cannot leave upwards.
   * @throws WasiError `noent`, `notdir`, `notcapable`, `nametoolong`
   */
  find(base: DirectoryInode, path: string): Place {
    if (path === "") failWith("noent");
    if (path.length > MAX_PATH_BYTES) failWith("nametoolong");
    if (path.startsWith("/")) failWith("notcapable");
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    const wantsDirectory = /(^|\/)\.{0,2}$/.test(path);
    let directory = base;
    let depth = 0;
    for (const [i, name] of names.entries()) {
      if (name === "..") {
        if (depth === 0) failWith("notcapable");
        depth -= 1;
        directory = directory.parent;
        continue;
      }
      const inode = directory.get(name);
      if (i === names.length - 1) return { directory, name, inode, wantsDirectory };
      if (inode === undefined) failWith("noent");
      if (inode.kind !== "directory") failWith("notdir");
      directory = inode;
      depth += 1;
    }
    return { directory, name: "", inode: directory, wantsDirectory: true };
  }

  /** @throws WasiError `nospc`, and those of `find` */
  createFile(place: Place, bytes: Uint8Array = new Uint8Array(0)): FileInode {
    if (place.wantsDirectory) failWith("isdir");
    const file = new FileInode(this.#budget.claimInode(), bytes, this.#clock.realtimeNs, this.#budget);
    this.#budget.admitBytes(bytes.length);
    this.#add(place, file);
    return file;
  }

  createDirectory(place: Place): DirectoryInode {
    if (place.inode !== undefined) failWith("exist");
    const directory = new DirectoryInode(this.#budget.claimInode(), place.directory, this.#clock.realtimeNs);
    this.#add(place, directory);
    return directory;
  }

  /** @throws WasiError `notsup` for directories, `exist` */
  link(inode: Inode, place: Place): void {
    if (inode.kind === "directory") failWith("notsup");
    if (place.wantsDirectory) failWith("noent");
    this.#add(place, inode);
  }

  #add(place: Place, inode: Inode): void {
    place.directory.add(place.name, inode);
    this.#touch(place.directory);
  }

  #touch(directory: DirectoryInode): void {
    directory.times.modifiedNs = this.#clock.realtimeNs;
    directory.times.changedNs = this.#clock.realtimeNs;
  }

  unlink(place: Place): void {
    const { inode } = place;
    if (inode === undefined) failWith("noent");
    if (inode.kind === "directory") failWith("isdir");
    if (place.wantsDirectory) failWith("notdir");
    place.directory.remove(place.name);
    inode.releaseIfUnused();
    this.#touch(place.directory);
  }

  removeDirectory(place: Place): void {
    const { inode } = place;
    if (inode === undefined) failWith("noent");
    if (inode.kind !== "directory") failWith("notdir");
    if (place.name === "") failWith("inval");
    if (!inode.isEmpty) failWith("notempty");
    place.directory.remove(place.name);
    this.#touch(place.directory);
  }

  /** Replaces a file, or an empty directory by a directory. */
  rename(from: Place, to: Place): void {
    const { inode } = from;
    if (inode === undefined) failWith("noent");
    if (from.name === "" || to.name === "") failWith("inval");
    if (inode === to.inode) return;
    if (inode.kind === "directory") this.#checkMove(inode, to);
    else if (from.wantsDirectory || to.wantsDirectory) failWith("notdir");
    if (to.inode !== undefined) {
      if (inode.kind === "directory") this.removeDirectory(to);
      else this.unlink(to);
    }
    from.directory.remove(from.name);
    this.#touch(from.directory);
    this.#add(to, inode);
  }

  /** A directory cannot move into itself. */
  #checkMove(moved: DirectoryInode, to: Place): void {
    for (let above = to.directory; above !== this.root; above = above.parent)
      if (above === moved) failWith("inval");
  }
}
