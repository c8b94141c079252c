/** Over what a cap counts: one day (UTC, by log time), or the key's whole life. */
export const CAP_PERIODS = ["day", "total"] as const;
export type CapPeriod = (typeof CAP_PERIODS)[number];
