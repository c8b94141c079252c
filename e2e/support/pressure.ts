import type { Page } from "@playwright/test";

/** Sets what the browser says of the machine's load, by its debugging override; machines that run tests are under pressure. */
export type Press = (state: "nominal" | "fair" | "serious" | "critical") => Promise<void>;

/** From here on the page is told of no pressure, in all its frames, until it is told otherwise. */
export async function overridePressure(page: Page): Promise<Press> {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send("Emulation.setPressureSourceOverrideEnabled", { enabled: true, source: "cpu" });
  const press: Press = async (state) => {
    await devTools.send("Emulation.setPressureStateOverride", { source: "cpu", state });
  };
  await press("nominal");
  return press;
}
