/**
 * AIR, the language of Fluence's interpreter (AquaVM): the subset that becomes a plan. Positions count from 1.
 */
export interface AirPosition {
  readonly line: number;
  readonly column: number;
}

/** A place inside a JSON value: field names and list places. */
export type AirPath = readonly (string | number)[];

export type AirValue = AirPosition &
  (
    | { readonly kind: "constant"; readonly value: string | number | boolean | readonly [] }
    /** `%init_peer_id%` */
    | { readonly kind: "initiator" }
    /** `:error:` or `%last_error%` */
    | { readonly kind: "error" }
    | { readonly kind: "variable"; readonly name: string; readonly path: AirPath }
  );

interface AirPair {
  readonly left: AirInstruction;
  readonly right: AirInstruction;
}

interface AirComparison {
  readonly left: AirValue;
  readonly right: AirValue;
  readonly body: AirInstruction;
}

export type AirInstruction = AirPosition &
  (
    | {
        readonly kind: "call";
        readonly peer: AirValue;
        readonly service: AirValue;
        readonly name: AirValue;
        readonly args: readonly AirValue[];
        /** A scalar, or a stream "$name". */
        readonly out?: string;
      }
    | ({ readonly kind: "seq" } & AirPair)
    | ({ readonly kind: "par" } & AirPair)
    | ({ readonly kind: "xor" } & AirPair)
    | ({ readonly kind: "match" } & AirComparison)
    | ({ readonly kind: "mismatch" } & AirComparison)
    | { readonly kind: "ap"; readonly value: AirValue; readonly out: string }
    | { readonly kind: "new"; readonly name: string; readonly body: AirInstruction }
    | { readonly kind: "fail"; readonly code: number; readonly message: string }
    /** `(fail :error:)`: what was caught goes on. */
    | { readonly kind: "rethrow" }
    | { readonly kind: "canon"; readonly peer: AirValue; readonly stream: string; readonly out: string }
    | {
        readonly kind: "fold";
        readonly over: AirValue;
        readonly iterator: string;
        readonly body: AirInstruction;
        readonly last?: AirInstruction;
      }
    | { readonly kind: "next"; readonly iterator: string }
    | { readonly kind: "null" }
    | { readonly kind: "never" }
  );

/** What stands in an AIR text that is no AIR, or not of the subset. */
export class AirError extends Error implements AirPosition {
  override readonly name = "AirError";
  readonly line: number;
  readonly column: number;

  constructor({ line, column }: AirPosition, what: string) {
    super(`line ${line}, column ${column}: ${what}`);
    this.line = line;
    this.column = column;
  }
}
