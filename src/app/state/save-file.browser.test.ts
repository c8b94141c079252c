import { afterEach, expect, it, vi } from "vitest";
import { saveFile } from "./save-file.ts";

afterEach(() => vi.restoreAllMocks());

it("what strangers computed is saved as bytes, so that a browser which opens it runs nothing of it", async () => {
  const fetched: Promise<Response>[] = [];
  const names: string[] = [];
  // The browser's own download is stood in for; the address it would have loaded is loaded here.
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function click(this: HTMLAnchorElement) {
    names.push(this.download);
    fetched.push(fetch(this.href));
  });
  const page = "<!doctype html><script>alert(1)</script>";
  saveFile("page.html", new Blob([page], { type: "text/html" }));
  const [answer] = await Promise.all(fetched);
  expect(names).toEqual(["page.html"]);
  expect(answer?.headers.get("content-type")).toBe("application/octet-stream");
  expect(await answer?.text()).toBe(page);
});
