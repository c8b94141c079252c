import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { archiveNames, tarOf } from "./jobs-tar.ts";

const folder = mkdtempSync(join(tmpdir(), "tabmesh-tar-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function unpacked(names: readonly string[], contents: readonly string[]): Promise<string> {
  const into = mkdtempSync(join(folder, "out-"));
  const files = archiveNames(names).map((name, at) => ({ name, content: new Blob([contents[at] ?? ""]) }));
  const archive = join(into, "all.tar");
  writeFileSync(archive, new Uint8Array(await tarOf(files, 1_700_000_000).arrayBuffer()));
  execFileSync("tar", ["-xf", archive, "-C", into]);
  rmSync(archive);
  return into;
}

describe("an archive of results", () => {
  it("is opened by the system's own tar, byte for byte", async () => {
    const exact = "x".repeat(512);
    const into = await unpacked(["a.txt", "sub/b.bin", "c"], ["", exact, `${exact}y`]);
    expect(readFileSync(join(into, "a.txt"), "utf8")).toBe("");
    expect(readFileSync(join(into, "sub/b.bin"), "utf8")).toBe(exact);
    expect(readFileSync(join(into, "c"), "utf8")).toBe(`${exact}y`);
  });

  it("stays below the folder it is unpacked in, whatever inputs are called", async () => {
    const into = await unpacked(
      ["../../etc/passwd", "/srv/x", "..", "C:\\win\\y", "a\u0000b\u202e"],
      ["1", "2", "3", "4", "5"],
    );
    expect(readdirSync(into, { recursive: true, encoding: "utf8" }).toSorted()).toEqual(
      ["C_", "C_/win", "C_/win/y", "a_b_", "etc", "etc/passwd", "output", "srv", "srv/x"].toSorted(),
    );
  });

  it("gives each result a name of its own", () => {
    expect(archiveNames(["a.txt", "a.txt", "a", "a", "x/.hidden", "x/.hidden"])).toEqual([
      "a.txt",
      "a-2.txt",
      "a",
      "a-2",
      "x/.hidden",
      "x/.hidden-2",
    ]);
  });

  it("shortens a name that the format does not hold, at its beginning", () => {
    const [name = ""] = archiveNames([`${"ä".repeat(200)}/scan.png`]);
    expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(90);
    expect(name.endsWith("scan.png")).toBe(true);
  });
});
