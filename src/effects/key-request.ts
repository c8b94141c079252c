import { MAX_KEY_BYTES, MAX_LISTED_KEYS } from "./limits.ts";
import {
  type KeyList,
  type KeyRead,
  type KeyWrite,
  refused,
  type RequestFields,
  required,
} from "./request-fields.ts";

function keyOf(fields: RequestFields): string {
  const key = required(fields.text("key", MAX_KEY_BYTES), "key");
  if (key === "") throw refused(`"key" is empty`);
  return key;
}

export function readKeyRead(fields: RequestFields): KeyRead {
  return { kind: "kv-get", key: keyOf(fields) };
}

export function readKeyWrite(fields: RequestFields): KeyWrite {
  const ifVersion = fields.count("ifVersion", 0, Number.MAX_SAFE_INTEGER);
  return {
    kind: "kv-put",
    key: keyOf(fields),
    value: required(fields.any("value"), "value"),
    ...(ifVersion === undefined ? {} : { ifVersion }),
  };
}

export function readKeyList(fields: RequestFields): KeyList {
  return {
    kind: "kv-list",
    prefix: fields.text("prefix", MAX_KEY_BYTES) ?? "",
    after: fields.text("after", MAX_KEY_BYTES) ?? "",
    limit: fields.count("limit", 1, MAX_LISTED_KEYS) ?? MAX_LISTED_KEYS,
  };
}
