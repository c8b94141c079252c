import { type ReadonlySignal, signal } from "@preact/signals";
import type { Cid } from "../../protocol/cid.ts";
import type { TabMemory } from "../../provider/tab-memory.ts";
import type { AccountOwner, AlertTerms, AlertTrial, AlertView } from "../../sdk/index.ts";
import { failed, type Loadable, LOADING, ready } from "./loadable.ts";
import type { RelayLink } from "./relay-link.ts";
import { PushRefused, subscribeToPush, unsubscribeFromPush } from "./push-subscription.ts";

export type AlertTask =
  | { readonly kind: "idle" }
  | { readonly kind: "busy" }
  /** The person, or the browser, does not want notices; in words. */
  | { readonly kind: "refused"; readonly words: string }
  | Extract<Loadable<never>, { kind: "failed" }>;

/** How the call of one alert went that was tried out here. */
export interface TriedAlert {
  readonly alert: Cid;
  readonly trial: AlertTrial;
}

/** What this browser's account has asked to be told. */
export interface Alerts {
  readonly list: ReadonlySignal<Loadable<readonly AlertView[]>>;
  readonly task: ReadonlySignal<AlertTask>;
  readonly tried: ReadonlySignal<TriedAlert | undefined>;
  /** Text of the secret of the webhook that was just made, which the relay does not show again. */
  readonly secret: ReadonlySignal<string | undefined>;
  refresh(): Promise<void>;
  /** @returns whether it is made */
  addWebhook(url: string, terms: AlertTerms): Promise<boolean>;
  /** Asks the browser for leave first, where it has none. */
  addPush(terms: AlertTerms): Promise<void>;
  test(alert: Cid): Promise<void>;
  remove(alert: AlertView): Promise<void>;
}

/** What standard libraries for webhooks take: https://www.standardwebhooks.com */
function secretText(secret: Uint8Array): string {
  return `whsec_${btoa(String.fromCharCode(...secret))}`;
}

export function createAlerts(relay: RelayLink, memory: TabMemory): Alerts {
  const list = signal<Loadable<readonly AlertView[]>>(LOADING);
  const task = signal<AlertTask>({ kind: "idle" });
  const tried = signal<TriedAlert | undefined>(undefined);
  const secret = signal<string | undefined>(undefined);

  const owner = async (): Promise<AccountOwner> => {
    const { seed } = await memory.identity.ensure();
    return { relay: relay.url, seed, pins: memory.relays };
  };
  const refresh = async (): Promise<void> => {
    try {
      const { listAlerts } = await import("../../sdk/alerts.ts");
      list.value = ready(await listAlerts(await owner()));
    } catch (error) {
      if (list.value.kind !== "ready") list.value = failed(error);
    }
  };
  /** One thing at a time; what fails is told. @returns whether it went well */
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    if (task.value.kind === "busy") return false;
    task.value = { kind: "busy" };
    try {
      await work();
      task.value = { kind: "idle" };
    } catch (error) {
      task.value = error instanceof PushRefused ? { kind: "refused", words: error.message } : failed(error);
      return false;
    }
    await refresh();
    return true;
  };

  return {
    list,
    task,
    tried,
    secret,
    refresh,
    addWebhook: (url, terms) =>
      run(async () => {
        const { addWebhook } = await import("../../sdk/alerts.ts");
        secret.value = secretText((await addWebhook(await owner(), url, terms)).secret);
      }),
    async addPush(terms) {
      await run(async () => {
        const { addPush, pushKey } = await import("../../sdk/alerts.ts");
        const account = await owner();
        await addPush(account, await subscribeToPush(await pushKey(account)), terms);
      });
    },
    async test(alert) {
      tried.value = undefined;
      await run(async () => {
        const { testAlert } = await import("../../sdk/alerts.ts");
        tried.value = { alert, trial: await testAlert(await owner(), alert) };
      });
    },
    async remove({ alert, kind }) {
      await run(async () => {
        const { removeAlert } = await import("../../sdk/alerts.ts");
        await removeAlert(await owner(), alert);
        if (kind === "push") await unsubscribeFromPush();
        secret.value = undefined;
        tried.value = undefined;
      });
    },
  };
}
