import { afterEach, expect, test } from "vitest";
import { openEnvelope, seal } from "../../protocol/envelope.ts";
import { MAX_NAME_LIFETIME_MS, MAX_NAMES_PER_ACCOUNT } from "../../protocol/limits.ts";
import { cidOf, DAG_CBOR } from "../../protocol/cid.ts";
import { type Name, nameMessage } from "../../protocol/messages/name.ts";
import type { Signer } from "../../protocol/signature.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import { HEAD, sessionOf, signerOf, START } from "../books/books-scene.contract.ts";
import { refusal } from "../books/run-scene.contract.ts";
import { offerOf, openRelayScene, type RelayScene } from "../relay-scene.contract.ts";
import { NAME_GRACE_MS } from "./limits.ts";
import { clientOf } from "./run-routes-scene.contract.ts";

const olga = signerOf("olga");
const thief = signerOf("thief");
const provider = signerOf("provider");
const DAY_MS = 86_400_000;
const PLAN = cidOf(DAG_CBOR, encodeUtf8("a plan"));
const closing: RelayScene[] = [];
afterEach(async () => {
  for (const relay of closing.splice(0))
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await relay.close();
});

async function open(): Promise<{ readonly relay: RelayScene; readonly client: ReturnType<typeof clientOf> }> {
  const relay = await openRelayScene();
  closing.push(relay);
  return { relay, client: clientOf(relay) };
}

async function named(changes: Partial<Name> = {}, signer: Signer = olga): Promise<Uint8Array> {
  const body: Name = {
    ...HEAD,
    owner: olga.key,
    name: "blur",
    version: 1,
    plan: PLAN,
    issuedAt: START,
    expires: START + DAY_MS,
    ...changes,
  };
  return seal(nameMessage, body, [signer]);
}

async function ofPeers(changes: Partial<Name> = {}): Promise<Uint8Array> {
  const { plan: _plan, ...body } = openEnvelope(nameMessage, await named()).body;
  return seal(nameMessage, { ...body, peers: [provider.key, thief.key], ...changes }, [olga]);
}

test("a name leads to the peers that answer for it, and says who of them is here", async () => {
  const { relay, client } = await open();
  const envelope = await ofPeers();
  await client.putName("blur", envelope);
  relay.offers.put(offerOf("provider"), {});
  const found = await client.name("blur");
  expect(found).toEqual({
    name: "blur",
    owner: olga.key,
    version: 1,
    issuedAt: START,
    expires: START + DAY_MS,
    peers: [
      { peer: provider.key, online: true, addresses: offerOf("provider").addresses },
      { peer: thief.key, online: false, addresses: [] },
    ],
    envelope,
  });
  expect(await client.names(olga.key)).toEqual([found]);
  expect(await refusal(client.name("blurred"))).toMatch(/nobody has registered/u);
});

test("a higher version replaces a lower one, the same again changes nothing, and who waits for it is told", async () => {
  const { relay, client } = await open();
  const told: (string | undefined)[] = [];
  relay.runs.watch({ onName: ({ plan }) => told.push(plan) });
  const first = await named();
  await client.putName("blur", first);
  await client.putName("blur", first);
  const other = cidOf(DAG_CBOR, encodeUtf8("another plan"));
  expect(await refusal(client.putName("blur", await named({ plan: other })))).toMatch(/version 1 is known/u);
  await client.putName("blur", await named({ version: 2, plan: other }));
  expect(await refusal(client.putName("blur", first))).toMatch(/version 2 is known/u);
  expect(relay.runs.names.resolve("blur")?.plan).toBe(other);
  expect(told).toEqual([PLAN, other]);
});

test.each<[string, () => Promise<Uint8Array>, RegExp]>([
  ["by somebody else", () => named({}, thief), /not signed by its owner/u],
  [
    "by a session of its owner",
    async () => named({}, await sessionOf("olga", "a tab")),
    /not signed by its owner/u,
  ],
  ["that has expired", () => named({ expires: START }), /time has passed/u],
  ["for too long", () => named({ expires: START + MAX_NAME_LIFETIME_MS + 1 }), /counts for more/u],
  ["of the future", () => named({ issuedAt: START + DAY_MS }), /in the future/u],
])("a name signed %s is refused", async (_what, make, why) => {
  const { client } = await open();
  expect(await refusal(client.putName("blur", await make()))).toMatch(why);
  expect(await refusal(client.name("blur"))).toMatch(/nobody has registered/u);
});

test("a name is its first owner's until some days after it expired", async () => {
  const { relay, client } = await open();
  await client.putName("blur", await named());
  const taken = (): Promise<Uint8Array> =>
    named(
      {
        owner: thief.key,
        version: 9,
        issuedAt: relay.scene.clock.now,
        expires: relay.scene.clock.now + DAY_MS,
      },
      thief,
    );
  expect(await refusal(client.putName("blur", await taken()))).toMatch(/belongs to/u);
  relay.scene.clock.now += DAY_MS + 1;
  expect(await refusal(client.name("blur"))).toMatch(/nobody has registered/u);
  expect(await refusal(client.putName("blur", await taken()))).toMatch(/belongs to/u);
  relay.scene.clock.now += NAME_GRACE_MS;
  await client.putName("blur", await taken());
  expect((await client.name("blur")).owner).toBe(thief.key);
});

test("an account has only so many names", async () => {
  const { client } = await open();
  for (let number = 0; number < MAX_NAMES_PER_ACCOUNT; number += 1)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await client.putName(`blur-${number}`, await named({ name: `blur-${number}` }));
  expect(await refusal(client.putName("one-more", await named({ name: "one-more" })))).toMatch(
    /at most 64 names/u,
  );
  await client.putName("blur-3", await named({ name: "blur-3", version: 2 }));
});

test("what is no host name is no name", async () => {
  for (const name of ["", "Blur", "-a", "a-", "a.b", "a/b", "ä", "a".repeat(64)])
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(await refusal((async () => openEnvelope(nameMessage, await named({ name })))())).toMatch(
      /name|length|bytes/u,
    );
});
