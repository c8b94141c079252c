import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";

/** What travels beside a request. Tests without a socket give no bindings, or a remote address of their choice. */
export interface RelayEnv {
  readonly Bindings: Partial<HttpBindings>;
  readonly Variables: {
    /** Who asks, as limits count it; set before any handler runs. */
    address: string;
  };
}

export type RelayContext = Context<RelayEnv>;
export type RelayHttp = Hono<RelayEnv>;
