import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build, defineConfig, type Plugin, type UserConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/** Where `npm start` listens; the dev server passes the relay's paths on to it. */
const RELAY = "http://localhost:8787";
/** The element that sites load, and the folder of its pages. */
const WIDGET = "src/widget/element/widget.ts";
const WIDGET_PAGES = "src/widget/pages";
/** Below this a compressed twin saves nothing: it is one packet either way. */
const LEAST_BYTES = 1_024;

/** Writes x.br beside each text file of the build, which the relay then serves as it is. */
function precompressed(): Plugin {
  let folder = "dist";
  return {
    name: "precompressed",
    apply: "build",
    enforce: "post",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle: {
      order: "post",
      sequential: true,
      handler() {
        for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
          if (!/\.(?:js|css|html|svg|wasm|webmanifest)$/u.test(path)) continue;
          const bytes = readFileSync(join(folder, path));
          if (bytes.length >= LEAST_BYTES)
            writeFileSync(join(folder, `${path}.br`), brotliCompressSync(bytes));
        }
      },
    },
  };
}

/**
 * In development too each thread gets one script: the sandbox's live in a place that may load no other (sandbox.html), and
 * all are classic scripts, as in a build.
 */
export function bundledThreads(): Plugin {
  const scripts = new Set([
    "/workers/sandbox.worker.ts",
    "/workers/inference.worker.ts",
    "/workers/fetch.worker.ts",
  ]);
  return {
    name: "bundled-threads",
    apply: "serve",
    configureServer({ config, middlewares }) {
      middlewares.use((request, response, next) => {
        const [path, query] = (request.url ?? "").split("?");
        // Not the bundler's own question for the script's address.
        if (path === undefined || !scripts.has(path) || new URLSearchParams(query).has("url")) return next();
        void answerBundle(join(config.root, path), response, next);
      });
    },
  };
}

/** The page on which the command line runs a model is a script of its own, so that no chunk of the app is cut in two for it. */
function modelPage(): Plugin {
  let root = "";
  return {
    name: "model-page",
    apply: "build",
    configResolved(config) {
      ({ root } = config);
    },
    async generateBundle() {
      const source = await bundle(join(root, "src/inference/local/model-page.ts"), "iife");
      if (source === undefined) throw new Error("the model page came to nothing");
      this.emitFile({ type: "asset", fileName: "model-page.js", source });
    },
  };
}

/**
 * The widget: the element that other sites load, as one file, and the pages of its frame and of the window of consent. Built
 * apart, so that no chunk of the app is cut in two for them, and so that nobody who embeds the one loads the other.
 */
function embeddedWidget(): Plugin {
  let root = "";
  return {
    name: "embedded-widget",
    configResolved(config) {
      ({ root } = config);
    },
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const [path, query = ""] = (request.url ?? "").split("?");
        if (path === "/widget.js") return void answerBundle(join(root, WIDGET), response, next, "es");
        const page = /^\/embed\/(frame|consent)$/u.exec(path ?? "")?.[1];
        if (page !== undefined) request.url = `/${WIDGET_PAGES}/${page}.html?${query}`;
        return next();
      });
    },
    async generateBundle() {
      const source = await bundle(join(root, WIDGET), "es");
      if (source === undefined) throw new Error("the widget came to nothing");
      this.emitFile({ type: "asset", fileName: "widget.js", source });
      const pages = await Promise.all(["frame", "consent"].map((page) => buildWidgetPage(root, page)));
      const files = new Map(pages.flat().map(({ fileName, content }) => [fileName, content]));
      for (const [fileName, content] of files) this.emitFile({ type: "asset", fileName, source: content });
    },
  };
}

interface BuiltFile {
  readonly fileName: string;
  readonly content: string | Uint8Array;
}

/** Each page by itself: one script and what it loads later, instead of a dozen that both share. */
async function buildWidgetPage(root: string, page: string): Promise<readonly BuiltFile[]> {
  const made = await build({
    ...COMPILED,
    configFile: false,
    logLevel: "error",
    root,
    publicDir: false,
    build: {
      ...BUILT,
      write: false,
      rolldownOptions: {
        input: join(root, WIDGET_PAGES, `${page}.html`),
        output: {
          entryFileNames: "assets/embed-[name]-[hash].js",
          chunkFileNames: "assets/embed-[name]-[hash].js",
          assetFileNames: "assets/embed-[name]-[hash][extname]",
        },
      },
    },
  });
  if (!("output" in made)) throw new Error("a page of the widget came to nothing");
  return made.output.map((each) => ({
    fileName: each.fileName.replace(`${WIDGET_PAGES}/`, "embed/"),
    content: each.type === "chunk" ? each.code : each.source,
  }));
}

async function answerBundle(
  input: string,
  response: ServerResponse,
  next: (error: unknown) => void,
  format: "iife" | "es" = "iife",
): Promise<void> {
  try {
    const code = await bundle(input, format);
    response.setHeader("Content-Type", "text/javascript").end(code);
  } catch (error) {
    next(error);
  }
}

async function bundle(input: string, format: "iife" | "es"): Promise<string | undefined> {
  const made = await build({
    configFile: false,
    logLevel: "error",
    publicDir: false,
    build: { write: false, target: "es2023", rolldownOptions: { input, output: { format } } },
  });
  return "output" in made ? made.output[0].code : undefined;
}

/** What all pages are built with. */
const BUILT = {
  target: "es2023",
  modulePreload: { polyfill: false },
  // A font or picture inside a script or style would need a wider content security policy.
  assetsInlineLimit: 0,
} as const;
const COMPILED: Pick<UserConfig, "oxc" | "worker"> = {
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: {
    // A script without imports: Chromium starts no module from a blob in a frame without origin.
    format: "iife",
    rolldownOptions: { output: { entryFileNames: "assets/[name]-[hash].js" } },
  },
};

export default defineConfig({
  ...COMPILED,
  build: {
    ...BUILT,
    sourcemap: "hidden",
    rolldownOptions: {
      output: {
        // The first load names all that may follow: of each name one letter less is sixty bytes.
        entryFileNames: "assets/shell-[hash:7].js",
        chunkFileNames: "assets/[name]-[hash:7].js",
        assetFileNames: "assets/[name]-[hash:7][extname]",
        // All that the first page needs is one file: one request, one line in the precache.
        codeSplitting: { groups: [{ name: "shell", test: /src\/app\/main\.tsx$/u }] },
      },
    },
  },
  plugins: [
    VitePWA({
      strategies: "injectManifest",
      srcDir: "workers",
      filename: "service-worker.ts",
      injectRegister: false,
      manifest: false,
      injectManifest: {
        rollupFormat: "iife",
        // The shell alone: what a first visit has loaded anyway. Everything else waits for consent or its page.
        globPatterns: [
          "index.html",
          "sandbox.html",
          "manifest.webmanifest",
          "icons/*.{svg,png}",
          "assets/{shell,index,rolldown-runtime}-*.{js,css}",
        ],
      },
    }),
    modelPage(),
    embeddedWidget(),
    precompressed(),
    bundledThreads(),
  ],
  server: {
    proxy: {
      "/v1": { target: RELAY, changeOrigin: true },
      // libp2p upgrades at the root, where the dev server has its own page and socket.
      "^/$": {
        target: RELAY,
        ws: true,
        bypass: (request) => (request.headers.upgrade === undefined ? request.url : undefined),
      },
    },
  },
});
