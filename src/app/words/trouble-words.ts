import type { StorageTrouble } from "../../provider/tab-memory.ts";

/** Something this browser lacks; the page then explains instead of offering the switch. */
export interface TroubleWords {
  readonly title: string;
  readonly cause: string;
  readonly advice: string;
}

export function storageTroubleWords(trouble: StorageTrouble): TroubleWords {
  switch (trouble) {
    case "denied":
      return {
        title: "This browser does not let the page remember anything",
        cause: "Your key and unreported receipts must survive a closed tab, so storage is needed.",
        advice: "Leave private browsing, or allow site data for this address, then reload.",
      };
    case "full":
      return {
        title: "The disk is full",
        cause: "There is no room to keep your key and receipts.",
        advice: "Free some space, then reload.",
      };
    case "newer":
      return {
        title: "A newer version was here",
        cause: "What this browser remembers was written by a newer version of this page.",
        advice: "Reload to get that version. If this page stays, close its other tabs first.",
      };
    case "unreadable":
      return {
        title: "Your key cannot be read",
        cause: "What this browser keeps of your key is damaged. No new one is made in its place.",
        advice: "Restore it from your key file.",
      };
    case "closed":
      return {
        title: "The browser closed this page's storage",
        cause: "Another tab updated it, or the browser took it back.",
        advice: "Reload the page.",
      };
    default:
      return trouble satisfies never;
  }
}

/** What a browser must offer before a tab can be a provider. */
export type Capability = "secure-context" | "workers" | "web-assembly" | "web-rtc" | "locks";

export function missingCapabilityWords(missing: Capability, host: string): TroubleWords {
  switch (missing) {
    case "secure-context":
      return {
        title: "This address is not secure",
        cause: `Browsers allow cryptography only over HTTPS or on the machine itself, and this page came over plain HTTP from ${host}. Receipts cannot be signed here.`,
        advice: "Open it on that machine as http://localhost, or serve it with TLS:",
      };
    case "web-rtc":
      return {
        title: "WebRTC is switched off",
        cause: "Work reaches this tab directly from the people who ask for it, over WebRTC.",
        advice: "Allow WebRTC in the browser's settings or extensions, then reload.",
      };
    case "workers":
    case "web-assembly":
    case "locks":
      return {
        title: "This browser is too old",
        cause: "It lacks something that running work safely needs.",
        advice: "Use a current Chrome, Edge, Firefox or Safari.",
      };
    default:
      return missing satisfies never;
  }
}
