import { pressureHere } from "../../provider/governor/browser-apis.ts";
import {
  type AgreedMessage,
  type FramedMessage,
  readMessage,
  type StateMessage,
  type WishMessage,
} from "../page-messages.ts";
import { CARD_STYLE } from "./card-style.ts";
import { chooseLanguage, type ElementWords, elementWords } from "./element-words.ts";

/** Where this script came from: frame and window come from nowhere else. */
const HOST: string = new URL(import.meta.url).origin;
const SITE = /^site-[a-z2-7]{20}$/;
/** A frame that has not said a word by then is blocked by this page, an extension or the network. */
const FRAME_SILENT_MS = 30_000;
/** How soon a window that was closed is noticed. */
const WINDOW_LOOK_MS = 500;
/** How often the machine's load is looked at while the frame is there. */
const PRESSURE_MS = 2_000;
const LEAST_HEIGHT = 60;
const MOST_HEIGHT = 900;

type Mode = "idle" | "asking" | "framed" | "blocked";

/** One widget of a page contributes; the others say so. */
let active: TabmeshWidget | undefined;
const all = new Set<TabmeshWidget>();

function setActive(widget: TabmeshWidget | undefined): void {
  active = widget;
}

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  part: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = part;
  element.setAttribute("part", part);
  element.append(...children);
  return element;
}

/** @returns undefined where the page has no storage */
function pageStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

/**
 * `<tabmesh-widget site="site-…">`. Until the button is pressed it is a card with words: no request, no timer. The button opens
 * the window of consent, and only what is agreed there brings the frame. Nothing secret is ever here: this is the page's realm.
 */
class TabmeshWidget extends HTMLElement {
  static readonly observedAttributes = ["site", "lang"];
  readonly #card = make("div", "card");
  #mode: Mode = "idle";
  #window: Window | null = null;
  #frame: HTMLIFrameElement | undefined;
  #pressure: { disconnect(): void; observe(source: "cpu", options: object): Promise<void> } | undefined;
  #ticket = "";
  #heard = false;
  #timer = 0;

  constructor() {
    super();
    const style = new CSSStyleSheet();
    style.replaceSync(CARD_STYLE);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    root.append(this.#card);
  }

  connectedCallback(): void {
    all.add(this);
    this.#close();
    if (active === undefined && Number(pageStorage()?.getItem(this.#hint)) > Date.now()) this.#open("");
  }

  disconnectedCallback(): void {
    all.delete(this);
    this.#close();
  }

  attributeChangedCallback(name: string, before: string | null): void {
    if (!this.isConnected) return;
    if (name === "site" && before !== null) this.#close();
    this.#show();
  }

  /** Ends what runs; only the person starts it again. */
  stop(): void {
    this.#wish("stop");
  }

  #wish(wish: WishMessage["wish"]): void {
    this.#frame?.contentWindow?.postMessage({ tabmesh: "wish", wish } satisfies WishMessage, HOST);
  }

  /** Tells the frame when the machine has too much to do: a browser tells it to the page alone. */
  async #watchPressure(): Promise<void> {
    const PressureObserver = pressureHere();
    if (PressureObserver === undefined) return;
    let told: WishMessage["wish"] = "calm";
    this.#pressure = new PressureObserver((records) => {
      const state = records.at(-1)?.state;
      const wish = state === "serious" || state === "critical" ? "rest" : "calm";
      if (wish !== told) this.#wish(wish);
      told = wish;
    });
    try {
      await this.#pressure.observe("cpu", { sampleInterval: PRESSURE_MS });
    } catch {
      // The page does not allow it.
    }
  }

  get #site(): string {
    return this.getAttribute("site") ?? "";
  }

  get #hint(): string {
    return `tabmesh ${this.#site}`;
  }

  get #language(): string {
    const near = this.closest<HTMLElement>("[lang]")?.lang;
    return chooseLanguage([...(near ? [near] : []), ...navigator.languages]);
  }

  #ask(): void {
    if (this.#window === null || this.#window.closed) {
      const url = `${HOST}/embed/consent?site=${this.#site}&lang=${this.#language}`;
      this.#window = open(url, "tabmesh", "popup,width=480,height=760");
    }
    if (this.#window === null) return this.#enter("blocked");
    this.#window.focus();
    this.#enter("asking");
    this.#watch(setInterval(() => this.#window?.closed && this.#close(), WINDOW_LOOK_MS));
    addEventListener("message", this);
  }

  /** @param ticket empty where the frame is to go on with what was agreed before */
  #open(ticket: string): void {
    this.#ticket = ticket;
    this.#heard = false;
    const frame = document.createElement("iframe");
    const [card, button] = [getComputedStyle(this.#card), this.#card.querySelector("button")];
    const accent = button === null ? undefined : getComputedStyle(button);
    const theme = { text: card.color, ground: card.backgroundColor, font: card.fontFamily };
    const accents = accent === undefined ? {} : { accent: accent.backgroundColor, onAccent: accent.color };
    const hash = new URLSearchParams({ ticket, ...theme, ...accents });
    frame.src = `${HOST}/embed/frame?site=${this.#site}&lang=${this.#language}#${hash.toString()}`;
    frame.allow = "compute-pressure";
    frame.title = "Tabmesh";
    frame.style.height = "150px";
    frame.addEventListener("load", () => this.#tellWindow());
    this.#frame = frame;
    this.#enter("framed");
    this.#watch(setTimeout(() => this.#block(), FRAME_SILENT_MS));
    addEventListener("message", this);
    document.addEventListener("securitypolicyviolation", this);
    // Outside the shadow, where the window of consent can find it.
    this.append(frame);
  }

  handleEvent(event: Event): void {
    if (event instanceof SecurityPolicyViolationEvent) {
      if (event.blockedURI.startsWith(HOST) && !this.#heard) this.#block();
      return;
    }
    if (!(event instanceof MessageEvent) || event.origin !== HOST) return;
    const message = readMessage(event.data);
    if (message === undefined) return;
    if (message.tabmesh === "agreed" && event.source === this.#window) this.#agreed(message);
    if (event.source === null || event.source !== this.#frame?.contentWindow) return;
    if (!this.#heard) {
      this.#tellWindow();
      void this.#watchPressure();
    }
    this.#heard = true;
    clearTimeout(this.#timer);
    if (message.tabmesh === "state") this.#follow(message);
    if (message.tabmesh === "size")
      this.#frame.style.height = `${Math.min(Math.max(message.height, LEAST_HEIGHT), MOST_HEIGHT)}px`;
  }

  #agreed({ site, ticket }: AgreedMessage): void {
    if (this.#mode === "asking" && site === this.#site) this.#open(ticket);
  }

  /** The window finds the frame by its place among the page's frames. */
  #tellWindow(): void {
    for (let index = 0; index < window.length; index += 1) {
      if (window[index] !== this.#frame?.contentWindow || this.#ticket === "") continue;
      this.#window?.postMessage(
        { tabmesh: "framed", ticket: this.#ticket, index } satisfies FramedMessage,
        HOST,
      );
    }
  }

  #follow(state: StateMessage): void {
    const { phase, until, minutes, amount } = state;
    if (phase === "ended" || phase === "stopped") pageStorage()?.removeItem(this.#hint);
    else pageStorage()?.setItem(this.#hint, `${until}`);
    if (phase === "ended") this.#close();
    this.dispatchEvent(new CustomEvent("tabmesh-state", { detail: { phase, until, minutes, amount } }));
  }

  #block(): void {
    this.#close();
    this.#enter("blocked");
  }

  #close(): void {
    this.#watch(0);
    removeEventListener("message", this);
    document.removeEventListener("securitypolicyviolation", this);
    this.#pressure?.disconnect();
    this.#frame?.remove();
    this.#frame = undefined;
    this.#window = null;
    if (active === this) setActive(undefined);
    this.#mode = "idle";
    for (const each of all) each.#show();
  }

  #enter(mode: Mode): void {
    this.#mode = mode;
    if (mode !== "blocked") setActive(this);
    for (const each of all) each.#show();
  }

  /** Timeouts and intervals share their numbers. */
  #watch(timer: number): void {
    clearInterval(this.#timer);
    this.#timer = timer;
  }

  #show(): void {
    const language = this.#language;
    this.#card.lang = language;
    this.#card.dir = language === "ar" ? "rtl" : "ltr";
    if (this.#mode === "framed") this.#card.replaceChildren(document.createElement("slot"));
    else this.#card.replaceChildren(make("div", "inner", ...this.#content(elementWords(language))));
  }

  #content(words: ElementWords): Node[] {
    const link = (text: string): HTMLElement => {
      const anchor = make("a", "link", text);
      anchor.href = `${HOST}/`;
      anchor.target = "_blank";
      anchor.rel = "noopener";
      return anchor;
    };
    const button = (text: string): HTMLElement => {
      const element = make("button", "button", text);
      element.type = "button";
      element.addEventListener("click", () => this.#ask());
      return element;
    };
    const text = (line: string): HTMLElement => make("p", "text", line);
    const row = (...items: Node[]): HTMLElement => make("div", "row", ...items);
    if (!SITE.test(this.#site)) return [make("p", "note", 'tabmesh-widget: site="site-…" is missing')];
    if (this.#mode === "blocked") return [text(words.blocked), row(link(words.alone))];
    if (this.#mode === "asking") return [text(words.asking), row(button(words.again))];
    if (active !== undefined) return [text(words.offer), make("p", "note", words.other)];
    return [text(words.offer), make("p", "note", words.promise), row(button(words.start), link(words.about))];
  }
}

// A page may load this twice.
if (customElements.get("tabmesh-widget") === undefined)
  customElements.define("tabmesh-widget", TabmeshWidget);
