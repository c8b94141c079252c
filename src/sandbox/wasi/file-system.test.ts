import { describe, expect, it } from "vitest";
import { MAX_INODES } from "../limits.ts";
import { bytesOf, text } from "../wat.contract.ts";
import { Clock } from "./clock.ts";
import { type EntryPlace, FileSystem } from "./file-system.ts";

function fresh(mostBytes = 1_000): FileSystem {
  return new FileSystem(new Clock(), mostBytes);
}

function names(files: FileSystem, path = "."): readonly string[] {
  const { inode } = files.find(files.root, path);
  return inode?.kind === "directory" ? Array.from(inode.list(2n), ({ name }) => name) : [];
}

describe("files in memory", () => {
  it("are found by paths with dots and doubled slashes", () => {
    const files = fresh();
    files.createDirectory(files.find(files.root, "a"));
    const file = files.createFile(files.find(files.root, "a/b"), bytesOf("x"));
    for (const path of ["a/b", "./a//b", "a/../a/b", "a/./b"])
      expect(files.find(files.root, path).inode).toBe(file);
  });

  it.each([
    ["", "noent"],
    ["/etc/passwd", "notcapable"],
    ["..", "notcapable"],
    ["a/../../x", "notcapable"],
    ["missing/x", "noent"],
    ["f/x", "notdir"],
    ["x".repeat(5_000), "nametoolong"],
  ])("the path %j is refused with %s", (path, errno) => {
    const files = fresh();
    files.createDirectory(files.find(files.root, "a"));
    files.createFile(files.find(files.root, "f"));
    expect(() => files.find(files.root, path)).toThrow(errno);
  });

  it("a directory cannot be left upwards from a descriptor below", () => {
    const files = fresh();
    const below = files.createDirectory(files.find(files.root, "a"));
    expect(() => files.find(below, "../a")).toThrow("notcapable");
  });

  it("do not write into bytes that were given from outside", () => {
    const given = bytesOf("hello");
    const files = fresh();
    const file = files.createFile(files.find(files.root, "f"), given);
    file.write(0, bytesOf("J"));
    expect([text(given), text(file.read(0, 10))]).toEqual(["hello", "Jello"]);
  });

  it("read as zero where nothing was written, also after shrinking", () => {
    const files = fresh();
    const file = files.createFile(files.find(files.root, "f"));
    file.write(3, bytesOf("abc"));
    file.resize(4);
    file.resize(6);
    expect([...file.read(0, 10)]).toEqual([0, 0, 0, 97, 0, 0]);
  });

  it("keep to their budget, and give it back", () => {
    const files = fresh(100);
    const place = files.find(files.root, "f");
    const file = files.createFile(place);
    file.write(0, new Uint8Array(100));
    expect(() => file.write(100, bytesOf("x"))).toThrow("nospc");
    files.unlink(files.find(files.root, "f"));
    const other = files.createFile(files.find(files.root, "g"));
    other.write(0, new Uint8Array(100));
    expect(other.size).toBe(100);
  });

  it("an unlinked file that is open keeps its bytes", () => {
    const files = fresh();
    const file = files.createFile(files.find(files.root, "f"), bytesOf("x"));
    file.opens += 1;
    files.unlink(files.find(files.root, "f"));
    expect(text(file.read(0, 1))).toBe("x");
  });

  it("rename replaces files and empty directories only", () => {
    const files = fresh();
    const at = (path: string): ReturnType<FileSystem["find"]> => files.find(files.root, path);
    files.createFile(at("f"), bytesOf("new"));
    files.createFile(at("g"), bytesOf("old"));
    files.rename(at("f"), at("g"));
    expect(names(files)).toEqual(["g"]);
    files.createDirectory(at("d"));
    files.createDirectory(at("e"));
    files.createFile(at("e/x"));
    expect(() => files.rename(at("d"), at("e"))).toThrow("notempty");
    expect(() => files.rename(at("g"), at("d"))).toThrow("isdir");
    files.rename(at("e"), at("d"));
    expect(names(files, "d")).toEqual(["x"]);
  });

  it("a directory cannot move into itself", () => {
    const files = fresh();
    files.createDirectory(files.find(files.root, "a"));
    files.createDirectory(files.find(files.root, "a/b"));
    expect(() => files.rename(files.find(files.root, "a"), files.find(files.root, "a/b/c"))).toThrow("inval");
  });

  it("symbolic links lead to files and directories, also on the way, and seen from where they stand", () => {
    const files = fresh();
    const at = (path: string): EntryPlace => files.findEntry(files.root, path, "never");
    files.createDirectory(at("d"));
    const file = files.createFile(files.find(files.root, "d/f"), bytesOf("x"));
    files.createSymlink("f", at("d/to-file"));
    files.createSymlink("d", at("to-directory"));
    files.createSymlink("../d/to-file", at("d/around"));
    for (const path of [
      "d/to-file",
      "to-directory/f",
      "to-directory/to-file",
      "d/around",
      "to-directory/../d/f",
    ])
      expect(files.find(files.root, path).inode).toBe(file);
    expect(at("to-directory").inode).toMatchObject({ kind: "symlink", target: "d", size: 1 });
    expect(files.findEntry(files.root, "to-directory", "keep").inode?.kind).toBe("symlink");
    expect(files.findEntry(files.root, "to-directory/", "keep").inode?.kind).toBe("directory");
    expect(() => files.removeDirectory(at("to-directory/"))).toThrow("notdir");
    files.unlink(at("to-directory"));
    expect(names(files, "d")).toEqual(["f", "to-file", "around"]);
  });

  it("symbolic links lead out of nowhere", () => {
    const files = fresh();
    const at = (path: string): EntryPlace => files.findEntry(files.root, path, "never");
    const below = files.createDirectory(at("d"));
    files.createFile(files.find(files.root, "secret"));
    files.createSymlink("../secret", at("d/up"));
    files.createSymlink("around", at("around"));
    files.createSymlink("nothing", at("dangling"));
    expect(() => files.createSymlink("/secret", at("absolute"))).toThrow("notcapable");
    expect(files.find(files.root, "d/up").inode?.kind).toBe("file");
    expect(() => files.find(below, "up")).toThrow("notcapable");
    expect(() => files.find(files.root, "around")).toThrow("loop");
    expect(files.find(files.root, "dangling")).toMatchObject({ name: "nothing", inode: undefined });
  });

  it("files that are gone make room for others, and numbers are never used twice", () => {
    const files = fresh();
    const numbers = new Set<bigint>();
    for (let i = 0; i < MAX_INODES + 10; i += 1) {
      numbers.add(files.createFile(files.find(files.root, "f")).number);
      files.unlink(files.find(files.root, "f"));
      numbers.add(files.createDirectory(files.find(files.root, "d")).number);
      files.removeDirectory(files.find(files.root, "d"));
    }
    expect(numbers.size).toBe(2 * (MAX_INODES + 10));
  });

  it("nothing can be made in a directory that was removed", () => {
    const files = fresh();
    const gone = files.createDirectory(files.find(files.root, "d"));
    files.removeDirectory(files.find(files.root, "d"));
    expect(() => files.createFile(files.find(gone, "f"))).toThrow("noent");
    expect(() => files.createDirectory(files.find(gone, "f"))).toThrow("noent");
  });

  it("a listing goes on at its cookie when entries before it are removed", () => {
    const files = fresh();
    for (const name of ["a", "b", "c", "d"]) files.createFile(files.find(files.root, name));
    const [first, second] = files.root.list(2n);
    files.unlink(files.find(files.root, "a"));
    expect([first?.name, second?.name]).toEqual(["a", "b"]);
    expect(Array.from(files.root.list(second!.next), ({ name }) => name)).toEqual(["c", "d"]);
  });
});
