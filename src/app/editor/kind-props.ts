import type { PlanNode } from "../../plan/plan.ts";
import type { PublishedModel } from "../../protocol/relay-api.ts";
import type { PlanDraft } from "./plan-draft.ts";

/** What the fields of a kind are given. */
export interface KindFieldsProps {
  readonly draft: PlanDraft;
  readonly id: string;
  readonly node: PlanNode;
  readonly models: readonly PublishedModel[];
  /** Other nodes of the same graph. */
  readonly beside: readonly string[];
  readonly problemAt: (path: string) => string | undefined;
  /** @param what is edited, for the steps back */
  readonly onNode: (what: string, node: PlanNode) => void;
}

/** The same for nodes of one kind. */
export type Of<K extends PlanNode["kind"]> = Omit<KindFieldsProps, "node"> & {
  readonly node: Extract<PlanNode, { readonly kind: K }>;
};
