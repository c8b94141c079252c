import type { PeerId } from "../../protocol/peer-id.ts";
import { MAX_ATTEMPTS, MAX_NAME_BYTES, MAX_NAMES } from "../limits.ts";
import type { NodeId, Place, Provenance } from "../plan.ts";
import { recordShape, unionShape } from "./compound.ts";
import { isLocatedMap } from "./located.ts";
import { listShape, peerShape, textShape, uintShape, wordShape } from "./parts.ts";
import { optionalShape, refuse, type Shape } from "./shape.ts";

const name: Shape<string> = textShape(MAX_NAME_BYTES);
const nodes: Shape<readonly NodeId[]> = listShape(name, MAX_NAMES);

const placeUnion: Shape<Place> = unionShape<Place, "at">("at", {
  coordinator: recordShape<object>({}),
  initiator: recordShape<object>({}),
  peer: recordShape<{ peer: PeerId }>({ peer: peerShape }),
  with: recordShape<{ node: NodeId }>({ node: name }),
  any: recordShape<Omit<Extract<Place, { at: "any" }>, "at">>({
    prefer: optionalShape(wordShape(["price", "reputation", "distance", "fair"])),
    apartFrom: optionalShape(nodes),
  }),
  name: recordShape<{ name: string }>({ name: textShape(256) }),
  relay: recordShape<object>({}),
});

const BARE: Readonly<Record<string, Place>> = {
  coordinator: { at: "coordinator" },
  initiator: { at: "initiator" },
  any: { at: "any" },
  relay: { at: "relay" },
};

/** In text a place that needs no more words is its word alone: `place: any`. */
export const placeShape: Shape<Place> = {
  wire: placeUnion.wire,
  text: {
    write(place) {
      const written = placeUnion.text.write(place);
      return typeof written === "object" && written !== null && Object.keys(written).length === 1
        ? place.at
        : written;
    },
    read(from) {
      if (isLocatedMap(from.value)) return placeUnion.text.read(from);
      const word = typeof from.value === "string" ? from.value : "";
      return (
        (Object.hasOwn(BARE, word) ? BARE[word] : undefined) ??
        refuse(
          from,
          "has to be any, coordinator, initiator, relay, or a record as in {at: with, node: …}, {at: peer, peer: …}, {at: name, name: …}",
        )
      );
    },
  },
};

const provenanceUnion: Shape<Provenance> = unionShape<Provenance, "check">("check", {
  signature: recordShape<object>({}),
  quorum: recordShape<{ k: number; n: number }>({ k: uintShape(MAX_ATTEMPTS), n: uintShape(MAX_ATTEMPTS) }),
  audited: recordShape<object>({}),
  replay: recordShape<object>({}),
});

const PLAIN_CHECKS = ["signature", "audited", "replay"] as const;

/** In text `signature`, `audited`, `replay`, or a quorum as in `2 of 3`. */
export const provenanceShape: Shape<Provenance> = {
  wire: provenanceUnion.wire,
  text: {
    write: (provenance) =>
      provenance.check === "quorum" ? `${provenance.k} of ${provenance.n}` : provenance.check,
    read(from) {
      const word = typeof from.value === "string" ? from.value : "";
      const check = PLAIN_CHECKS.find((each) => each === word);
      if (check !== undefined) return { check };
      const { k, n } = /^(?<k>[0-9]{1,2}) of (?<n>[0-9]{1,2})$/u.exec(word)?.groups ?? {};
      return k === undefined || Number(k) > MAX_ATTEMPTS || Number(n) > MAX_ATTEMPTS
        ? refuse(from, 'has to be signature, audited, replay, or as in "2 of 3"')
        : { check: "quorum", k: Number(k), n: Number(n) };
    },
  },
};
