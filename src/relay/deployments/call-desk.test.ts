import { expect, test } from "vitest";
import { RateLimit } from "../rate-limit.ts";
import { ScheduleRows } from "../schedule/schedule-rows.ts";
import { CallDesk } from "./call-desk.ts";
import { openDeploymentRuns, runOf } from "./deployment-runs-scene.contract.ts";
import { CALL_RATE, MAX_BODIES_OF_ONE_BYTES, MAX_CALL_BYTES, MAX_CALLS } from "./limits.ts";
import type { RunInput } from "./run-params.ts";

const NEVER = new AbortController().signal;

async function openDesk(): Promise<CallDesk> {
  const { runs, log, deployment, clock, ...scene } = await openDeploymentRuns();
  const nowMs = (): number => clock.now;
  scene.start = async () => runOf("a run", Promise.resolve(0n));
  return new CallDesk({
    deployments: { find: (name) => (name === deployment.name ? deployment : undefined) },
    runs,
    log,
    firings: new ScheduleRows(":memory:"),
    limit: new RateLimit(CALL_RATE, "deployment", nowMs),
    nowMs,
  });
}

test("a call beyond those that are taken at a time is refused before anything of it is read", async () => {
  const desk = await openDesk();
  const slow = Promise.withResolvers<RunInput>();
  const others = Array.from({ length: MAX_CALLS }, () =>
    desk.call("d", () => slow.promise, "POST /", NEVER).catch(() => "refused"),
  );
  let wasRead = false;
  const read = async (): Promise<RunInput> => {
    wasRead = true;
    return {};
  };
  await expect(desk.call("d", read, "POST /", NEVER)).rejects.toThrow(/rate-limited/u);
  expect(wasRead).toBe(false);
  // Whoever breaks off gives its place back.
  slow.reject(new Error("the sender has left"));
  expect(await Promise.all(others)).toEqual(others.map(() => "refused"));
  const { result } = await desk.call("d", read, "POST /", NEVER);
  expect(await result).toEqual(new Uint8Array());
});

test("bodies of calls to one owner's deployments have room together, and give it back when their calls are over", async () => {
  const desk = await openDesk();
  const broken = new Error("the sender has left");
  const ends = Promise.withResolvers<RunInput>();
  const fits = MAX_BODIES_OF_ONE_BYTES / MAX_CALL_BYTES;
  const send = (): Promise<unknown> =>
    desk.call(
      "d",
      ({ take }) => {
        take(MAX_CALL_BYTES);
        return ends.promise;
      },
      "POST /",
      NEVER,
    );
  const held = Array.from({ length: fits }, () => send().catch((error: unknown) => error));
  const one = desk.call(
    "d",
    async ({ take }) => {
      take(1);
      return {};
    },
    "POST /",
    NEVER,
  );
  await expect(one).rejects.toThrow(/rate-limited/u);
  ends.reject(broken);
  expect(await Promise.all(held)).toEqual(held.map(() => broken));
  await expect(send()).rejects.toThrow(broken);
});
