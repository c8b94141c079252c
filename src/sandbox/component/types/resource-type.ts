import type { CoreItem } from "../link/plan.ts";

/** A kind of resource. Two are the same only when they are the same object. */
export type ResourceType = HostResource | GuestResource;

/** Made by the host: a handle stands for an object of the host's. */
export interface HostResource {
  readonly owner: "host";
  /** As types are printed, such as "wasi:io/streams/input-stream". */
  readonly name: string;
}

/** Made by a component: a handle stands for a number that the component gave it. */
export interface GuestResource {
  readonly owner: "guest";
  readonly name: string;
  /** Number of the component instance, in the plan. */
  readonly instance: number;
  readonly destructor: CoreItem | undefined;
}
