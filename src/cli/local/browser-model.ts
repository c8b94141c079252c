import { type Browser, chromium, type Page } from "playwright";
import type {
  GpuAbout,
  LocalMemory,
  LocalModel,
  LocalText,
  LocalVector,
  LocalVerdict,
  PageAnswer,
  PageCall,
  PageModel,
  PageState,
  TextJob,
} from "../../relay/models/open-model.ts";
import { findChromium } from "../browser/find-chromium.ts";
import { buildApp, DIST_FOLDER, isFresh } from "../built-app.ts";
import { PlainError } from "../plain-error.ts";
import { browserGone, troubleOf } from "./browser-trouble.ts";
import { type ModelSite, openModelSite } from "./model-site.ts";

/** A model on WebGPU, which browsers alone have: in a Chromium without a window that ends with the command. */
export interface BrowserModel extends LocalModel {
  readonly adapter: GpuAbout;
  /** Milliseconds until the browser showed the page, and from there until the model was ready. */
  readonly browserMs: number;
  readonly loadMs: number;
}

const FLAGS: readonly string[] = [
  // On Linux WebGPU needs both; where there is no graphics card, Chromium's software takes its place.
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  // Tells the heap to the byte rather than in steps.
  "--enable-precise-memory-info",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface BrowserModelOptions {
  /** Ends the browser. */
  readonly signal?: AbortSignal;
  /** Folder with the build of the app; what is stale is built if not given. */
  readonly build?: string;
  /** Told what takes so long. */
  readonly tell?: (text: string) => void;
}

/**
 * Opens a model file in a browser of its own.
 * @throws PlainError where there is no Chromium, or no WebGPU that computes rightly; FailureError `malformed`, `no-memory`;
 * the signal's reason
 */
export async function openInBrowser(
  path: string,
  { signal, build, tell = () => {} }: BrowserModelOptions = {},
): Promise<BrowserModel> {
  const executablePath = findChromium(process.env);
  if (executablePath === undefined)
    throw new PlainError({
      what: "There is no Chromium here, and WebGPU is in a browser only.",
      why: process.env["CHROMIUM_PATH"] === undefined ? "" : "CHROMIUM_PATH leads to no program.",
      advice:
        "Install Chromium or Chrome, run `npx playwright install --with-deps chromium`, or set CHROMIUM_PATH to one " +
        "that is there. Or leave --backend webgpu out: WebAssembly gives the same bits.",
    });
  if (build === undefined && !isFresh()) {
    tell("Building the app, which has the page for it.");
    await buildApp();
  }
  const begun = performance.now();
  const site = await openModelSite(path, build ?? DIST_FOLDER);
  let browser: Browser | undefined;
  try {
    browser = await launch(executablePath);
    return await open(browser, site, begun, signal);
  } catch (error) {
    site.close();
    await browser?.close();
    signal?.throwIfAborted();
    throw error;
  }
}

async function launch(executablePath: string): Promise<Browser> {
  try {
    return await chromium.launch({
      executablePath,
      headless: true,
      args: [...FLAGS],
      // Signals are ours to handle; whatever ends this process ends the browser too, by its pipe.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (cause) {
    throw new PlainError({
      what: `Chromium did not start: ${executablePath}.`,
      why: cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause),
      advice: "Start it by hand to see why, or set CHROMIUM_PATH to another.",
      cause,
    });
  }
}

async function open(
  browser: Browser,
  site: ModelSite,
  begun: number,
  signal: AbortSignal | undefined,
): Promise<BrowserModel> {
  signal?.throwIfAborted();
  const page = await browser.newPage();
  // A step of a large model may take longer than any patience that is meant for pages.
  page.setDefaultTimeout(0);
  const line = new PageLine(page, signal);
  const stop = (): void => void browser.close();
  signal?.addEventListener("abort", stop, { once: true });
  await page.exposeFunction("tellText", (piece: string) => line.onText(piece));
  await page.goto(site.url);
  const browserMs = performance.now() - begun;
  const opened = await line.ask<PageModel>({ call: "open", url: site.model });
  return new OpenInBrowser(line, opened, browserMs, async () => {
    signal?.removeEventListener("abort", stop);
    site.close();
    await browser.close();
  });
}

/** Calls to the page, one after the other. */
class PageLine {
  readonly #page: Page;
  readonly #signal: AbortSignal | undefined;
  state: PageState = { memoryBytes: 0, peak: { wasmBytes: 0, gpuBytes: 0, heapBytes: 0 } };
  onText: (piece: string) => Promise<void> = () => Promise.resolve();

  constructor(page: Page, signal: AbortSignal | undefined) {
    this.#page = page;
    this.#signal = signal;
  }

  async ask<T>(call: PageCall): Promise<T> {
    const answer = await this.#evaluate<T>(`answerCall(JSON.parse(${JSON.stringify(JSON.stringify(call))}))`);
    if (answer.kind !== "done") throw troubleOf(answer);
    this.state = answer.state;
    return answer.value;
  }

  async #evaluate<T>(expression: string): Promise<PageAnswer<T>> {
    const { promise: crashed, reject } = Promise.withResolvers<never>();
    const listen = (): void => reject(new Error("the page crashed"));
    this.#page.once("crash", listen);
    try {
      return await Promise.race([this.#page.evaluate<PageAnswer<T>>(expression), crashed]);
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw browserGone(error);
    } finally {
      this.#page.off("crash", listen);
    }
  }
}

class OpenInBrowser implements BrowserModel {
  readonly kind: LocalModel["kind"];
  readonly cid: string;
  readonly adapter: GpuAbout;
  readonly browserMs: number;
  readonly loadMs: number;
  readonly #line: PageLine;
  readonly #close: () => Promise<void>;

  constructor(
    line: PageLine,
    { kind, cid, adapter, loadMs }: PageModel,
    browserMs: number,
    close: () => Promise<void>,
  ) {
    this.kind = kind;
    this.cid = cid;
    this.adapter = adapter;
    this.loadMs = loadMs;
    this.browserMs = browserMs;
    this.#line = line;
    this.#close = close;
  }

  get memoryBytes(): number {
    return this.#line.state.memoryBytes;
  }

  get peak(): LocalMemory {
    return this.#line.state.peak;
  }

  async write(
    { prompt, mostTokens, sampling, stop }: TextJob,
    onText: (piece: string) => Promise<void> | void,
  ): Promise<LocalText> {
    let writing: Promise<void> = Promise.resolve();
    this.#line.onText = (piece) => (writing = writing.then(() => onText(piece)));
    const seed = Array.from(sampling.seed);
    const job = { prompt, mostTokens, stop, sampling: { ...sampling, seed } };
    return this.#line.ask<LocalText>({ call: "write", job });
  }

  encode(text: string): Promise<LocalVector> {
    return this.#line.ask<LocalVector>({ call: "encode", text });
  }

  verify(transcript: unknown): Promise<LocalVerdict> {
    return this.#line.ask<LocalVerdict>({ call: "verify", transcript });
  }

  close(): Promise<void> {
    return this.#close();
  }
}

/** As a person calls it. */
export function adapterText({ vendor, architecture, device, description, isSoftware }: GpuAbout): string {
  const said = [vendor, architecture, device, description].filter((word) => word !== "");
  const name = said.length === 0 ? "a graphics card that says nothing of itself" : said.join(" ");
  return isSoftware ? `${name} (software, no graphics card)` : name;
}
