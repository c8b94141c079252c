import type { PushTarget } from "../../sdk/index.ts";

/** The browser shows no notices for this page; why and what to do, in words. */
export class PushRefused extends Error {
  static override readonly name = "PushRefused";
  override readonly name = "PushRefused";
}

/** A service worker that is not there after this long will not come: the page was opened over plain HTTP, or storage is off. */
const WORKER_MS = 5_000;

const NO_PUSH =
  "This browser cannot show notices for this page. Use another browser, or have a web address called.";

async function registration(): Promise<ServiceWorkerRegistration> {
  if (!("serviceWorker" in navigator) || !("PushManager" in globalThis)) throw new PushRefused(NO_PUSH);
  const late = new Promise<undefined>((resolve) => {
    setTimeout(resolve, WORKER_MS);
  });
  const found = await Promise.race([navigator.serviceWorker.ready, late]);
  if (found === undefined) throw new PushRefused(NO_PUSH);
  return found;
}

function bytesOf(subscription: PushSubscription, name: PushEncryptionKeyName): Uint8Array {
  const key = subscription.getKey(name);
  if (key === null) throw new PushRefused(NO_PUSH);
  return new Uint8Array(key);
}

/** Base64url without padding, as the relay writes its key. */
function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.codePointAt(0) ?? 0);
}

/**
 * Asks the person, then the browser's push service.
 * @param key the relay's public key, base64url.
 * @throws PushRefused
 */
export async function subscribeToPush(key: string): Promise<PushTarget> {
  const { pushManager } = await registration();
  if ((await Notification.requestPermission()) !== "granted")
    throw new PushRefused(
      "Notices of this page are blocked. Allow them in the browser’s settings for this site, then try again.",
    );
  const applicationServerKey = fromBase64url(key);
  const before = await pushManager.getSubscription();
  // One that was made for another relay's key is of no use to this one.
  if (before !== null && !isFor(before, applicationServerKey)) await before.unsubscribe();
  const subscription = await pushManager
    .subscribe({ userVisibleOnly: true, applicationServerKey })
    .catch((error: unknown) => {
      throw new PushRefused(
        "The browser’s push service does not answer. Some browsers have none, or have it switched off.",
        { cause: error },
      );
    });
  return {
    endpoint: subscription.endpoint,
    p256dh: bytesOf(subscription, "p256dh"),
    auth: bytesOf(subscription, "auth"),
  };
}

function isFor({ options }: PushSubscription, key: Uint8Array): boolean {
  const { applicationServerKey: theirs } = options;
  if (theirs === null || theirs.byteLength !== key.length) return false;
  return new Uint8Array(theirs).every((byte, index) => byte === key[index]);
}

/** Ends this browser's subscription, if it has one. Never throws. */
export async function unsubscribeFromPush(): Promise<void> {
  try {
    await (await (await registration()).pushManager.getSubscription())?.unsubscribe();
  } catch {
    // The relay has forgotten it, which is what counts.
  }
}
