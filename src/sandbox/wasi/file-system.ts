import { MAX_PATH_BYTES } from "../limits.ts";
import type { Clock } from "./clock.ts";
import { failWith } from "./errno.ts";
import { FileSystemBudget } from "./file-system-budget.ts";
import { DirectoryInode, type EntryInode, FileInode, type Inode, SymlinkInode } from "./inode.ts";

/** A place in a directory: what it is called there, and what stands there. */
export interface Place {
  readonly directory: DirectoryInode;
  /** Empty when the path names the directory itself. */
  readonly name: string;
  readonly inode: Inode | undefined;
  /** The path ended in a slash, so only a directory will do. */
  readonly wantsDirectory: boolean;
  /** Bytes of the symbolic links that were followed on the way: work to be charged for. */
  readonly followedBytes: number;
}

/** A place where a symbolic link may stand. */
export interface EntryPlace extends Omit<Place, "inode"> {
  readonly inode: EntryInode | undefined;
}

/** Links followed in one path, as on Linux; more answers `loop`. */
const MAX_FOLLOWED = 40;

/** Files, directories and symbolic links in memory. Inode numbers follow the order of creation. */
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
   * Finds what `path` leads to, seen from `base`, which neither it nor a symbolic link on the way can leave upwards.
   * @throws WasiError `noent`, `notdir`, `notcapable`, `nametoolong`, `loop`
   */
  find(base: DirectoryInode, path: string): Place {
    const place = this.findEntry(base, path, "follow");
    const { inode } = place;
    if (inode?.kind === "symlink") throw new TypeError("a symbolic link was not followed");
    return { ...place, inode };
  }

  /**
   * The same, but for a symbolic link at the end of the path: `follow` follows it, `keep` does where a slash comes
   * after it, `never` stays at it.
   */
  findEntry(base: DirectoryInode, path: string, last: "follow" | "keep" | "never"): EntryPlace {
    checkPath(path);
    const names = namesOf(path);
    let wantsDirectory = endsAsDirectory(path);
    const follows = last === "follow" || (last === "keep" && wantsDirectory);
    let directory = base;
    let depth = 0;
    let followed = 0;
    let followedBytes = 0;
    for (;;) {
      const name = names.pop();
      if (name === undefined)
        return { directory, name: "", inode: directory, wantsDirectory: true, followedBytes };
      if (name === "..") {
        if (depth === 0) failWith("notcapable");
        depth -= 1;
        directory = directory.parent;
        continue;
      }
      const inode = directory.get(name);
      const isLast = names.length === 0;
      if (inode?.kind === "symlink" && (!isLast || follows)) {
        followed += 1;
        if (followed > MAX_FOLLOWED) failWith("loop");
        followedBytes += inode.size;
        checkPath(inode.target);
        if (isLast && endsAsDirectory(inode.target)) wantsDirectory = true;
        names.push(...namesOf(inode.target));
        continue;
      }
      if (isLast) return { directory, name, inode, wantsDirectory, followedBytes };
      if (inode === undefined) failWith("noent");
      if (inode.kind !== "directory") failWith("notdir");
      directory = inode;
      depth += 1;
    }
  }

  /** @throws WasiError `nospc`, and those of `find` */
  createFile(place: Place, bytes: Uint8Array = new Uint8Array(0)): FileInode {
    if (place.wantsDirectory) failWith("isdir");
    if (place.directory.isRemoved) failWith("noent");
    const file = new FileInode(this.#budget.claimInode(), bytes, this.#clock.realtimeNs, this.#budget);
    this.#budget.admitBytes(bytes.length);
    this.#add(place, file);
    return file;
  }

  createDirectory(place: EntryPlace): DirectoryInode {
    if (place.inode !== undefined) failWith("exist");
    if (place.directory.isRemoved) failWith("noent");
    const directory = new DirectoryInode(this.#budget.claimInode(), place.directory, this.#clock.realtimeNs);
    this.#add(place, directory);
    return directory;
  }

  /** @throws WasiError `perm` for directories, `exist`, `noent` */
  link(inode: EntryInode, place: EntryPlace): void {
    if (inode.kind === "directory") failWith("perm");
    this.#checkNew(place);
    this.#add(place, inode);
    inode.times.changedNs = this.#clock.realtimeNs;
  }

  /** @throws WasiError `notcapable` for a target that starts at the root, `noent`, `exist`, `nospc` */
  createSymlink(target: string, place: EntryPlace): void {
    checkPath(target);
    this.#checkNew(place);
    this.#add(place, new SymlinkInode(target, this.#clock.realtimeNs, this.#budget));
  }

  /** Something that is no directory can come to stand here. */
  #checkNew({ inode, wantsDirectory }: EntryPlace): void {
    if (inode !== undefined) failWith("exist");
    if (wantsDirectory) failWith("noent");
  }

  #add(place: EntryPlace, inode: EntryInode): void {
    place.directory.add(place.name, inode);
    this.#touch(place.directory);
  }

  #touch(directory: DirectoryInode): void {
    directory.times.modifiedNs = this.#clock.realtimeNs;
    directory.times.changedNs = this.#clock.realtimeNs;
  }

  unlink(place: EntryPlace): void {
    const { inode } = place;
    if (inode === undefined) failWith("noent");
    if (inode.kind === "directory") failWith("isdir");
    if (place.wantsDirectory) failWith("notdir");
    place.directory.remove(place.name);
    inode.times.changedNs = this.#clock.realtimeNs;
    inode.releaseIfUnused();
    this.#touch(place.directory);
  }

  removeDirectory(place: EntryPlace): void {
    const { inode } = place;
    if (inode === undefined) failWith("noent");
    if (inode.kind !== "directory") failWith("notdir");
    if (place.name === "") failWith("inval");
    if (!inode.isEmpty) failWith("notempty");
    place.directory.remove(place.name);
    inode.isRemoved = true;
    this.#budget.releaseInode();
    this.#touch(place.directory);
  }

  /** Replaces a file, or an empty directory by a directory. */
  rename(from: EntryPlace, to: EntryPlace): void {
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
    if (to.directory.isRemoved) failWith("noent");
    from.directory.remove(from.name);
    this.#touch(from.directory);
    this.#add(to, inode);
    inode.times.changedNs = this.#clock.realtimeNs;
  }

  /** A directory cannot move into itself. */
  #checkMove(moved: DirectoryInode, to: EntryPlace): void {
    for (let above = to.directory; above !== this.root; above = above.parent)
      if (above === moved) failWith("inval");
  }
}

/** @throws WasiError `noent`, `nametoolong`, `notcapable` */
function checkPath(path: string): void {
  if (path === "") failWith("noent");
  if (path.length > MAX_PATH_BYTES) failWith("nametoolong");
  if (path.startsWith("/")) failWith("notcapable");
}

/** The names of a path, last first: what comes next is taken from the end. */
function namesOf(path: string): string[] {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .toReversed();
}

function endsAsDirectory(path: string): boolean {
  return /(^|\/)\.{0,2}$/.test(path);
}
