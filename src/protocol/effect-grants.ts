/** What a person lets their tab do for others. Nothing that is not named here is done, whatever a capability allows. */
export interface EffectGrants {
  /** Telling the time, and random numbers that follow from the run: they reach nothing. */
  readonly timeAndRandom: boolean;
  /** Web servers that may be asked: none, any public one, or these origins. */
  readonly fetch: "none" | "public" | readonly string[];
  /** Addresses of nodes by chain ("eip155:1"): the person's own choice, which may hold a key. */
  readonly chains: Readonly<Record<string, string>>;
}

/** What is granted until the person says otherwise. */
export const FIRST_GRANTS: EffectGrants = { timeAndRandom: true, fetch: "none", chains: {} };
