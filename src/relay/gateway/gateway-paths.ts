/** Paths of OpenAI's interface that the gateway answers, beside the list of models. */
export const GATEWAY_PATHS = {
  embeddings: "/v1/embeddings",
  chat: "/v1/chat/completions",
  completions: "/v1/completions",
} as const;

export function isGatewayPath(path: string): boolean {
  return Object.values<string>(GATEWAY_PATHS).includes(path);
}

/** Names of the headers that say what an answer rests on. */
export const JOB_HEADER = "x-tabmesh-job";
/** CIDs of receipts, separated by commas: one for each provider that did a part. */
export const RECEIPT_HEADER = "x-tabmesh-receipt";
