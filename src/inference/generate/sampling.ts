import { sha256 } from "@noble/hashes/sha2.js";
import {
  applyScale,
  multiplyScales,
  reciprocal,
  type Scale,
  scaleFrom,
  timesPowerOfTwo,
} from "../numerics/scale.ts";
import { ACTIVATION_FRACTION, exp2Negative, SCORE_FRACTION } from "../numerics/tables.ts";

/** How the next token is drawn from scores. All whole numbers: a draw is part of what can be checked. */
export interface Sampling {
  /** Thousandths; 0 takes the most likely token. */
  readonly temperatureMilli: number;
  /** Of how many of the most likely tokens; 0 for all. */
  readonly topK: number;
  /** Thousandths of the probability that the kept tokens make up at least; 1000 for all. */
  readonly topPMilli: number;
  /** 32 bytes. */
  readonly seed: Uint8Array;
}

export const GREEDY: Sampling = { temperatureMilli: 0, topK: 0, topPMilli: 1_000, seed: new Uint8Array(32) };

/** log2(e) as a scale: 47,274 * 2^-15. */
const LOG2_E: Scale = scaleFrom(47_274, -15);

/**
 * The token drawn after a position. Of equal scores the lowest token wins, in the greedy choice as at the edges of top-k
 * and top-p.
 * @param logits i32[vocabulary] in Q14
 * @param position of the last token taken in: each position has randomness of its own, SHA-256(seed, u32le position)
 * @param exp2Table the model's
 */
export function drawToken(
  logits: Int32Array,
  sampling: Sampling,
  position: number,
  exp2Table: Int32Array,
): number {
  if (sampling.temperatureMilli === 0) return mostLikely(logits);
  const kept = keptTokens(logits, sampling, exp2Table);
  let left = drawBelow(totalOf(kept), sampling.seed, position);
  for (const { token, weight } of kept) {
    if (left < weight) return token;
    left -= weight;
  }
  throw new RangeError("a draw beyond the total");
}

function mostLikely(logits: Int32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token += 1)
    if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
  return best;
}

interface Weighted {
  readonly token: number;
  readonly logit: number;
  /** 2^((logit - largest) / temperature * log2(e)) in Q15. */
  readonly weight: number;
}

/** The tokens that may be drawn, most likely first. */
function keptTokens(
  logits: Int32Array,
  { temperatureMilli, topK, topPMilli }: Sampling,
  exp2Table: Int32Array,
): readonly Weighted[] {
  const largest = logits[mostLikely(logits)] ?? 0;
  const warmth = multiplyScales(scaleFrom(1_000, 0), reciprocal(temperatureMilli));
  const scale = timesPowerOfTwo(multiplyScales(LOG2_E, warmth), -ACTIVATION_FRACTION);
  const weighted: Weighted[] = [];
  for (const [token, logit] of logits.entries()) {
    // Half of the distance fits i32 whatever the scores are.
    const distance = applyScale((largest - logit) >>> 1, timesPowerOfTwo(scale, 1), SCORE_FRACTION);
    const weight = exp2Negative(distance < 0 ? 2 ** 31 - 1 : distance, exp2Table);
    if (weight > 0) weighted.push({ token, logit, weight });
  }
  weighted.sort((a, b) => b.logit - a.logit || a.token - b.token);
  const likely = topK > 0 ? weighted.slice(0, topK) : weighted;
  const enough = totalOf(likely) * topPMilli;
  let sum = 0;
  const end = likely.findIndex(({ weight }) => (sum += weight) * 1_000 >= enough);
  return likely.slice(0, end + 1);
}

function totalOf(weighted: readonly Weighted[]): number {
  return weighted.reduce((sum, { weight }) => sum + weight, 0);
}

/** A whole number in [0, bound): the position's first 64 bits of randomness, times the bound, over 2^64. */
function drawBelow(bound: number, seed: Uint8Array, position: number): number {
  const message = new Uint8Array(seed.length + 4);
  message.set(seed);
  const view = new DataView(message.buffer);
  view.setUint32(seed.length, position, true);
  const digest = sha256(message);
  const random = new DataView(digest.buffer, digest.byteOffset).getBigUint64(0, true);
  return Number((random * BigInt(bound)) >> 64n);
}
