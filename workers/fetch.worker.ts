/** The thread that asks web servers for others: the only script of the app whose policy lets it. It holds no key and runs nobody's code. */
import { browserExchange } from "../src/effects/browser-exchange.ts";
import { answerOrders, type FetchOrder } from "../src/effects/fetch-thread.ts";

const take = answerOrders(
  browserExchange((url, init) => fetch(url, init)),
  (message) => self.postMessage(message, []),
);
self.addEventListener("message", ({ data }: MessageEvent<FetchOrder>) => take(data));
