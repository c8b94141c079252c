import { SALTS_IN_STOCK } from "./limits.ts";

const SALT_BYTES = 16;

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Salts in stock: a call for each costs as much as all the rest of sending a small task. */
export function saltSource(): () => Uint8Array {
  let stock = new Uint8Array(0);
  return () => {
    if (stock.length === 0) stock = randomBytes(SALT_BYTES * SALTS_IN_STOCK);
    const salt = stock.slice(0, SALT_BYTES);
    stock = stock.subarray(SALT_BYTES);
    return salt;
  };
}
