import { meshContract } from "./mesh.contract.ts";
import { createNodeMesh } from "./node-mesh.ts";
import { startTestRelay } from "./test-relay.contract.ts";
import { untilOnline } from "./until-online.ts";

function seed(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

meshContract("libp2p in Node, over WebRTC through a relay", async () => {
  const relay = await startTestRelay();
  const caller = await createNodeMesh({ privateKey: seed(1), relay: relay.address });
  const callee = await createNodeMesh({ privateKey: seed(2), relay: relay.address });
  await Promise.all([caller.start(), callee.start()]);
  const soon = AbortSignal.timeout(10_000);
  await Promise.all([untilOnline(caller, soon), untilOnline(callee, soon)]);
  const nobody = await createNodeMesh({ privateKey: seed(3) });
  return {
    caller,
    callee,
    nobody: callee.addresses().map((address) => address.replace(callee.peerId, nobody.peerId)),
    transport: "webrtc",
    stop: async () => {
      await Promise.all([caller.stop(), callee.stop()]);
      await relay.stop();
    },
  };
});
