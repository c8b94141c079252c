import { expect, test } from "vitest";
import { createMemoryNetwork } from "./memory-mesh.ts";
import { meshContract } from "./mesh.contract.ts";
import type { MeshStatus } from "./mesh.ts";

meshContract("a mesh in memory", async () => {
  const network = createMemoryNetwork();
  const caller = network.join("12D3KooWCaller");
  const callee = network.join("12D3KooWCallee");
  await Promise.all([caller.start(), callee.start()]);
  return {
    caller,
    callee,
    nobody: ["/memory/p2p/12D3KooWNobody"],
    transport: "memory",
    stop: async () => void (await Promise.all([caller.stop(), callee.stop()])),
  };
});

test("a member that is cut off says so, and is reached again after that", async () => {
  const network = createMemoryNetwork();
  const [a, b] = [network.join("A"), network.join("B")];
  await Promise.all([a.start(), b.start()]);
  b.handle("/x", () => undefined);
  const told: MeshStatus["kind"][] = [];
  b.onStatus((status) => told.push(status.kind));
  const signal = AbortSignal.timeout(5000);
  const addresses = b.addresses();
  network.cut("B");
  await expect(a.dial(addresses, "/x", { signal })).rejects.toThrow(/unreachable/);
  network.restore("B");
  await a.dial(addresses, "/x", { signal });
  expect(told).toEqual(["reconnecting", "online"]);
});
