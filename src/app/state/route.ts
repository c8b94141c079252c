import { type ReadonlySignal, signal } from "@preact/signals";

export type PageName = "contribute" | "earnings" | "jobs" | "runs" | "search" | "network" | "sites";

/** Pages live behind the hash, so that one file serves them all, offline as well. */
const PAGE_BY_HASH: ReadonlyMap<string, PageName> = new Map([
  ["#/", "contribute"],
  ["#/earnings", "earnings"],
  ["#/jobs", "jobs"],
  ["#/runs", "runs"],
  ["#/search", "search"],
  ["#/network", "network"],
  ["#/sites", "sites"],
]);

const HASH_BY_PAGE: Readonly<Record<PageName, string>> = {
  contribute: "#/",
  earnings: "#/earnings",
  jobs: "#/jobs",
  runs: "#/runs",
  search: "#/search",
  network: "#/network",
  sites: "#/sites",
};

export function hashOf(page: PageName): string {
  return HASH_BY_PAGE[page];
}

function pageInAddress(): PageName {
  return PAGE_BY_HASH.get(location.hash) ?? "contribute";
}

/** The page in the address bar, followed; anything unknown is the first page. */
export function watchRoute(): ReadonlySignal<PageName> {
  const page = signal(pageInAddress());
  addEventListener("hashchange", () => {
    page.value = pageInAddress();
  });
  return page;
}
