import { afterEach, describe, expect, it } from "vitest";
import { openEnvelope } from "../protocol/envelope.ts";
import { failureKind } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { reportMessage } from "../protocol/messages/receipt.ts";
import {
  HEAD,
  type LeaseWork,
  openLease,
  openScene,
  type Scene,
} from "../relay/books/books-scene.contract.ts";
import { type Reportable, sendReport } from "./send-report.ts";

const scenes: Scene[] = [];
afterEach(() => {
  for (const { books } of scenes.splice(0)) books.close();
});

interface Reporting {
  readonly scene: Scene;
  readonly work: LeaseWork;
  /** What a side of the lease has to report after `outcomes` more. */
  readonly next: (outcomes: number, logged?: number) => Promise<Reportable>;
  readonly send: (item: Reportable) => ReturnType<typeof sendReport>;
  /** Reports and questions that the relay got. */
  readonly asked: string[];
}

async function reporting(): Promise<Reporting> {
  const scene = await openScene();
  scenes.push(scene);
  const { work } = await openLease(scene);
  const asked: string[] = [];
  const client = {
    report: async (envelope: Uint8Array) => {
      asked.push("report");
      return scene.books.report(envelope);
    },
    job: async (job: Parameters<Scene["books"]["job"]>[0]) => {
      asked.push("job");
      return scene.books.job(job)!;
    },
  };
  return {
    scene,
    work,
    asked,
    async next(outcomes, logged = 0) {
      const { receipt, advance } = openEnvelope(reportMessage, await work.go(outcomes).report()).body;
      const { size } = work.outcomes;
      return {
        receipt,
        advance,
        lost: [],
        logged,
        prove: (from) => work.outcomes.consistencyProof(from, size),
      };
    },
    send: (item) => sendReport(client, HEAD, scene.provider, item),
  };
}

async function refusalOf(step: Promise<unknown>): Promise<string> {
  const error: unknown = await step.catch((thrown: unknown) => thrown);
  return error instanceof FailureError ? failureKind(error.code).name : "accepted";
}

describe("a report", () => {
  it("begins where this side's last one ended", async () => {
    const { next, send, asked } = await reporting();
    expect(await send(await next(2))).toMatchObject({ index: expect.any(Number) });
    await send(await next(3, 2));
    expect(asked).toEqual(["report", "report"]);
  });

  it("is logged whatever receipt the other side has reported before, however long ago", async () => {
    const { next, send, scene, work, asked } = await reporting();
    await send(await next(1));
    for (let i = 0; i < 40; i += 1) await next(1);
    asked.length = 0;
    await send(await next(1));
    expect(asked).toEqual(["report", "job", "report"]);
    expect(scene.books.job(work.lease.body.job)!.leases).toMatchObject([{ count: 42 }]);
  });

  it("of a receipt older than the logged one answers with nothing", async () => {
    const { next, send } = await reporting();
    const older = await next(1);
    await send(await next(2));
    expect(await send(older)).toBeUndefined();
  });

  it("fails when nothing proves what the relay has", async () => {
    const { next, send, asked } = await reporting();
    await send(await next(2));
    const item = await next(2);
    expect(await refusalOf(send({ ...item, prove: () => undefined }))).toBe("inconsistent-receipt");
    expect(await refusalOf(send({ ...item, prove: () => [] }))).toBe("inconsistent-receipt");
    expect(asked.length).toBeLessThan(12);
  });
});
