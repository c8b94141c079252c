/** The shell of the app, offline: precached. Other scripts are kept from the first time a page asks for them. */
import { clientsClaim } from "workbox-core";
import { createHandlerBoundToURL, precacheAndRoute, type PrecacheEntry } from "workbox-precaching";
import { NavigationRoute, registerRoute } from "workbox-routing";
import { CacheFirst } from "workbox-strategies";
import { alertNotice } from "../src/protocol/alert-call.ts";

declare const self: ServiceWorkerGlobalScope & {
  readonly __WB_MANIFEST: readonly (PrecacheEntry | string)[];
};

/** Scripts and styles with a hash in their name; they belong to one build. */
const CHUNKS = "chunks";

// The page of a first visit is served too, so that what it loads on consent is kept.
clientsClaim();
// oxlint-disable-next-line no-underscore-dangle -- workbox-build looks for this very name
precacheAndRoute([...self.__WB_MANIFEST]);
// The interface, the log, the widget as others embed it, and what strangers deploy are no pages of the app.
const NO_PAGES = [/^\/(?:v1|tile|embed|f)\//u, /^\/checkpoint$/u];
registerRoute(new NavigationRoute(createHandlerBoundToURL("/index.html"), { denylist: NO_PAGES }));
registerRoute(
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith("/assets/"),
  new CacheFirst({ cacheName: CHUNKS }),
);

// The page asks for this when the person reloads into the new version; chunks of the old one are then of no use.
self.addEventListener("message", (event) => {
  const message: unknown = event.data;
  if (typeof message !== "object" || message === null || !("kind" in message)) return;
  if (message.kind !== "take-over") return;
  event.waitUntil(Promise.all([caches.delete(CHUNKS), self.skipWaiting()]));
});

// What the relay tells through the browser's push service, also while no page of ours is open.
self.addEventListener("push", (event) => {
  const { title, ...notice } = alertNotice(event.data?.text() ?? "");
  event.waitUntil(self.registration.showNotification(title, { ...notice, icon: "/icons/tabmesh-192.png" }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow("/#/earnings"));
});
