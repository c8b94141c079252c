import { webcrypto } from "node:crypto";
import { verifierOf } from "../../protocol/ed25519.ts";
import { type Unverified, verified } from "../../protocol/envelope.ts";
import { FailureError } from "../../protocol/failure.ts";
import type { Receipt } from "../../protocol/messages/receipt.ts";
import { creditsText } from "../quantities.ts";
import { plainValue, type Verdict } from "./verdict.ts";

/** A receipt by itself: signed, whatever became of it. */
export async function verifyReceipt(receipt: Unverified<Receipt>): Promise<Verdict> {
  const { body, signedBy, id } = receipt;
  let problem: string | undefined;
  try {
    await verified(receipt, verifierOf(webcrypto.subtle));
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    problem = error.detail;
  }
  const lines = [
    `Receipt ${id}`,
    `  job         ${body.job}`,
    `  lease       ${body.lease}`,
    `  provider    ${body.provider}`,
    `  requester   ${body.requester}`,
    `  tasks       ${body.count}, ${body.payable} paid${body.final ? ", final" : ""}`,
    `  amount      ${creditsText(body.amount)} credits`,
    `  signed by   ${signedBy.map(({ key }) => key).join(", ")}`,
    problem === undefined
      ? "Signed. That the requester countersigned it and that it is logged, only its proof shows: npx tabmesh prove."
      : `NOT SIGNED: ${problem}.`,
  ];
  return {
    ok: problem === undefined,
    lines,
    json: {
      kind: "receipt",
      id,
      receipt: plainValue(body),
      signedBy: signedBy.map(({ key }) => key),
      problem,
    },
  };
}
