/** Chance that can be had again: a soak that found something finds it anew from the same name and number. */

/** A whole number from 0 to below `below`. */
export type Draw = (below: number) => number;

/** Numbers for one round of a soak (splitmix32). @param name of the soak. @param round from 0. */
export function draw(name: string, round: number): Draw {
  let state = round;
  for (let index = 0; index < name.length; index += 1)
    state = Math.imul(state ^ name.charCodeAt(index), 0x9e3779b1) | 0;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) % below;
  };
}
