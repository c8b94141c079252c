import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openModelSite } from "./model-site.ts";

const folder = mkdtempSync(join(tmpdir(), "tabmesh-site-"));
const model = join(folder, "m.tmm");
const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
writeFileSync(model, bytes);
writeFileSync(join(folder, "model-page.js"), "answer();");
afterAll(() => rmSync(folder, { recursive: true }));

describe("the page on which a browser computes a model", () => {
  it("has the script and the file, and nothing for who does not know its path", async () => {
    const site = await openModelSite(model, folder);
    const { origin } = new URL(site.url);
    const page = await (await fetch(site.url)).text();
    expect(page).toContain('src="model-page.js"');
    expect(await (await fetch(new URL("model-page.js", site.url))).text()).toBe("answer();");
    expect(new Uint8Array(await (await fetch(new URL(site.model, site.url))).arrayBuffer())).toEqual(bytes);
    for (const path of ["/", "/model", "/model-page.js", `${site.model}/../../etc/passwd`])
      expect((await fetch(origin + path)).status, path).toBe(404);
    site.close();
    await expect(fetch(site.url)).rejects.toThrow("fetch failed");
  });

  it("is drawn anew for each run, on this machine alone", async () => {
    const [one, other] = [await openModelSite(model, folder), await openModelSite(model, folder)];
    expect(new URL(one.url).hostname).toBe("127.0.0.1");
    expect(new URL(one.url).pathname).not.toBe(new URL(other.url).pathname);
    one.close();
    other.close();
  });

  it("is not opened for a folder, a file that is not there, or a build without the script", async () => {
    await expect(openModelSite(folder, folder)).rejects.toMatchObject({ what: `${folder} is no file.` });
    await expect(openModelSite(join(folder, "none"), folder)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(openModelSite(model, join(folder, "no-build"))).rejects.toMatchObject({
      what: "The build of the app has no page for models.",
    });
  });
});
