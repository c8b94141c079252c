import { randomBytes } from "node:crypto";
import OpenAI, { APIError } from "openai";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { encoderModel, type TestModel, writerModel } from "../../inference/host/models.contract.ts";
import { type RelayConfig, relayConfig } from "../../relay/config.ts";
import { type Relay, startRelay } from "../../relay/start-relay.ts";
import { createApiKey, type MadeApiKey } from "../../sdk/index.ts";
import { meshGateway } from "./mesh-gateway.ts";
import {
  type NodeProvider,
  type NodeProviderOptions,
  publish,
  startNodeProvider,
} from "./node-provider.contract.ts";

/** Messages of a conversation, one behind the other: what a model of random weights goes on with. */
const TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}";

/** One credit, in micro-credits. */
export const CREDIT = 1_000_000n;

export const PROMPT = { model: "writer", prompt: "ab ab", max_tokens: 12, temperature: 0 } as const;
export const TALK: OpenAI.ChatCompletionCreateParamsNonStreaming = {
  model: "writer",
  messages: [{ role: "user", content: "ab ab" }],
  max_tokens: 12,
  temperature: 0,
};

export interface Account {
  readonly seed: Uint8Array;
  readonly made: MadeApiKey;
  readonly client: OpenAI;
}

type KeyOptions = Partial<Parameters<typeof createApiKey>[1]>;

/** A relay with a gateway and two published models, for the tests of one file. Providers leave after each test. */
export interface GatewayScene {
  readonly relay: Relay;
  readonly writer: TestModel;
  readonly encoder: TestModel;
  readonly clientOf: (apiKey: string) => OpenAI;
  /** A new account, which the relay grants test credits, with a key. */
  readonly account: (options?: KeyOptions) => Promise<Account>;
  readonly provider: (options?: NodeProviderOptions) => Promise<NodeProvider>;
}

export function gatewayRelay(config: Partial<RelayConfig> = {}): Promise<Relay> {
  const all = { port: 0, dataDir: ":memory:", iceServers: [], logLevel: "silent", ...config } as const;
  return startRelay(relayConfig(all), { gateway: meshGateway });
}

export async function accountAt(url: string, options: KeyOptions = {}): Promise<Account> {
  const seed = new Uint8Array(randomBytes(32));
  const made = await createApiKey({ relay: url, seed }, { cap: CREDIT, ...options });
  return { seed, made, client: clientAt(url, made.key) };
}

function clientAt(url: string, apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
}

/** Providers that the relay would give work to. */
async function offersAt(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^tabmesh_offers (\d+)/mu.exec(metrics)?.[1]);
}

/** Opens the scene before the tests of the file that calls this, and closes it after them. */
export function gatewayScene(): GatewayScene {
  let open: Pick<GatewayScene, "relay" | "writer" | "encoder"> | undefined;
  const providers: NodeProvider[] = [];
  const parts = (): NonNullable<typeof open> => {
    if (open === undefined) throw new Error("the scene is not open");
    return open;
  };
  beforeAll(async () => {
    const [writer, encoder] = await Promise.all([writerModel({ chatTemplate: TEMPLATE }), encoderModel()]);
    open = { relay: await gatewayRelay(), writer, encoder };
    await publish(open.relay.url, "writer", writer);
    await publish(open.relay.url, "encoder", encoder);
  }, 60_000);
  afterEach(async () => {
    await Promise.all(providers.splice(0).map((each) => each.vanish()));
    await expect.poll(() => offersAt(parts().relay.url), { timeout: 10_000 }).toBe(0);
  });
  afterAll(() => open?.relay.stop());
  return {
    get relay() {
      return parts().relay;
    },
    get writer() {
      return parts().writer;
    },
    get encoder() {
      return parts().encoder;
    },
    clientOf: (apiKey) => clientAt(parts().relay.url, apiKey),
    account: (options) => accountAt(parts().relay.url, options),
    async provider(options) {
      const { relay, writer, encoder } = parts();
      const started = await startNodeProvider(relay.url, [writer, encoder], options);
      providers.push(started);
      return started;
    },
  };
}

/** The error that the client makes of a refusal. @throws where there was none */
export async function refusal(work: PromiseLike<unknown>): Promise<InstanceType<typeof APIError>> {
  try {
    await work;
  } catch (error) {
    if (error instanceof APIError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}
