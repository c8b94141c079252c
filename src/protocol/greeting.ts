import { signatory } from "./delegation.ts";
import { openEnvelope, seal, verified } from "./envelope.ts";
import { FailureError } from "./failure.ts";
import { header, requireOrigin } from "./header.ts";
import { WIRE_VERSION } from "./limits.ts";
import { type Hello, helloMessage } from "./messages/session.ts";
import type { PeerId } from "./peer-id.ts";
import type { Signer, Verify } from "./signature.ts";

/** A provider that says so answers pings on its work streams. */
const PULSE = "pulse";

/** Which relay and money a conversation is about. */
export interface Ground {
  readonly origin: string;
  readonly asset: string;
}

/** Who greeted. */
export interface Greeting {
  readonly role: Hello["role"];
  /** The identity that earns or pays. */
  readonly root: PeerId;
  /** The key of this session, and of the connection. */
  readonly instance: PeerId;
  /** Whether it answers pings on a work stream; older programs end the stream over them. */
  readonly hasPulse: boolean;
  /** The newest checkpoint it knows, unverified. */
  readonly checkpoint?: string;
}

/** The envelope of this side's hello. */
export async function greet(
  role: Hello["role"],
  ground: Ground,
  signer: Signer,
  checkpoint: string | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const hello: Hello = {
    ...header(ground.origin, ground.asset),
    role,
    versions: [WIRE_VERSION],
    features: role === "provider" ? [PULSE] : [],
    instance: signer.key,
    ...(checkpoint === undefined ? {} : { checkpoint }),
  };
  return seal(helloMessage, hello, [signer]);
}

/**
 * Reads the other side's hello.
 * @param remote peer id of the connection, authenticated by the mesh.
 * @throws FailureError `version-mismatch`, `wrong-relay`, `wrong-asset`, `wrong-peer`, `bad-signature`, `expired`, `malformed`.
 */
export async function readGreeting(
  envelope: Uint8Array,
  ground: Ground,
  remote: string,
  nowMs: number,
  verify: Verify,
): Promise<Greeting> {
  const hello = await verified(openEnvelope(helloMessage, envelope), verify);
  const { role, versions, instance, checkpoint, features } = hello.body;
  if (!versions.includes(WIRE_VERSION)) {
    throw new FailureError(
      "version-mismatch",
      `the peer speaks ${versions.join(", ")}, this side ${WIRE_VERSION}`,
    );
  }
  requireOrigin(hello.body, ground.origin, ground.asset);
  const [by] = hello.signedBy;
  if (by === undefined || hello.signedBy.length !== 1 || by.key !== instance || instance !== remote) {
    throw new FailureError("wrong-peer", "hello: not signed by the key of this connection");
  }
  const { root, delegation } = signatory(by, nowMs);
  if (delegation !== undefined) await verified(delegation, verify);
  const hasPulse = features.includes(PULSE);
  return { role, root, instance, hasPulse, ...(checkpoint === undefined ? {} : { checkpoint }) };
}
