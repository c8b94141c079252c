/** The thread in which functions run: no network, no storage, one port to the window that started it. */
import { exposeSandbox } from "../src/sandbox/expose-sandbox.ts";
import { lockDownRealm } from "../src/sandbox/lock-down-realm.ts";

lockDownRealm(globalThis);
exposeSandbox(globalThis);
