import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  PULSE_CLOGGED_MS,
  PULSE_DOUBT_MS,
  PULSE_LOST_MS,
  PULSE_QUIET_MS,
  PULSE_SILENCE_MS,
} from "./limits.ts";
import { Pulse } from "./pulse.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A provider's pulse on a clock that the test moves, and what came of it. */
class Patient {
  asked = 0;
  lost = 0;
  bytes = 0;
  isClogged = false;
  now = 0;
  readonly pulse: Pulse = new Pulse({
    ask: () => {
      this.asked += 1;
    },
    onLost: () => {
      this.lost += 1;
    },
    onDoubt: () => undefined,
    received: () => this.bytes,
    isClogged: () => this.isClogged,
    now: () => this.now,
  });

  /** Time goes by, in steps so small that timers go off when they are due. */
  wait(ms: number): void {
    for (const until = this.now + ms; this.now < until;) {
      this.now += 10;
      vi.advanceTimersByTime(10);
    }
  }
}

test("who speaks often enough is never asked", () => {
  const patient = new Patient();
  for (let time = 0; time < 20; time += 1) {
    patient.wait(PULSE_QUIET_MS - 100);
    patient.pulse.heard();
  }
  expect(patient).toMatchObject({ asked: 0, lost: 0 });
});

test("who is quiet is asked, gets no tasks meanwhile, and is well again when it answers", () => {
  const patient = new Patient();
  patient.wait(PULSE_QUIET_MS + 20);
  expect(patient).toMatchObject({ asked: 1, lost: 0 });
  expect(patient.pulse.isInDoubt).toBe(true);
  patient.pulse.heard();
  expect(patient.pulse.isInDoubt).toBe(false);
  patient.wait(PULSE_QUIET_MS + 20);
  expect(patient).toMatchObject({ asked: 2, lost: 0 });
});

test("who does not answer is silent, then lost, once", () => {
  const patient = new Patient();
  patient.wait(PULSE_SILENCE_MS - 100);
  expect(patient.pulse.isSilent).toBe(false);
  patient.wait(200);
  expect(patient.pulse.isSilent).toBe(true);
  patient.wait(PULSE_LOST_MS - PULSE_SILENCE_MS - 200);
  expect(patient.lost).toBe(0);
  patient.wait(200);
  expect(patient.lost).toBe(1);
  patient.wait(60_000);
  expect(patient).toMatchObject({ asked: 1, lost: 1 });
});

test("who was only slow is neither silent nor lost after a word", () => {
  const patient = new Patient();
  patient.wait(PULSE_LOST_MS - 1_000);
  expect(patient.pulse.isSilent).toBe(true);
  patient.pulse.heard();
  expect(patient.pulse).toMatchObject({ isSilent: false, isInDoubt: false });
  patient.wait(PULSE_SILENCE_MS - 100);
  expect(patient).toMatchObject({ lost: 0 });
  expect(patient.pulse.isSilent).toBe(false);
});

test("what came with the last word is no later sign of life", () => {
  const patient = new Patient();
  patient.bytes = 5_000;
  patient.pulse.heard();
  patient.pulse.doubt();
  patient.wait(PULSE_DOUBT_MS + 20);
  expect(patient.pulse.isSilent).toBe(true);
});

test("whom the relay does not hear is asked at once, and silent soon", () => {
  const patient = new Patient();
  patient.wait(300);
  patient.pulse.doubt();
  expect(patient.asked).toBe(1);
  patient.wait(PULSE_DOUBT_MS + 20);
  expect(patient.pulse.isSilent).toBe(true);
});

test("a word to this side counts for more than the relay's", () => {
  const patient = new Patient();
  for (let time = 0; time < 20; time += 1) {
    patient.pulse.doubt();
    patient.wait(100);
    patient.pulse.heard();
    patient.wait(PULSE_DOUBT_MS);
    expect(patient.pulse.isSilent).toBe(false);
  }
  expect(patient.lost).toBe(0);
});

test("a side that was asleep itself does not take the others for dead", () => {
  const patient = new Patient();
  patient.wait(500);
  // The machine sleeps: the clock goes on and no timer goes off.
  patient.now += 600_000;
  patient.wait(100);
  expect(patient.lost).toBe(0);
  patient.wait(PULSE_QUIET_MS - 500);
  expect(patient).toMatchObject({ asked: 1, lost: 0 });
  patient.pulse.heard();
  patient.now += 600_000;
  patient.wait(PULSE_QUIET_MS);
  expect(patient.pulse.isSilent).toBe(false);
  patient.wait(PULSE_LOST_MS);
  expect(patient.lost).toBe(1);
});

test("parts of a frame are a sign of life", () => {
  const patient = new Patient();
  for (let time = 0; time < 10; time += 1) {
    patient.wait(PULSE_SILENCE_MS - 1_000);
    patient.bytes += 1_000;
    expect(patient.pulse.isSilent).toBe(false);
  }
});

test("who cannot have heard the question yet has more time, and not for ever", () => {
  const patient = new Patient();
  patient.isClogged = true;
  patient.wait(PULSE_CLOGGED_MS - 100);
  expect(patient.pulse.isSilent).toBe(false);
  patient.wait(PULSE_DOUBT_MS + 100);
  expect(patient.pulse.isSilent).toBe(true);
});

test("nobody is asked or lost after the end", () => {
  const patient = new Patient();
  patient.pulse.end();
  patient.wait(60_000);
  patient.pulse.doubt();
  expect(patient).toMatchObject({ asked: 0, lost: 0 });
});
