import type { JSX } from "preact";
import type { AgentNode } from "../../plan/plan.ts";
import { microCredits } from "../../protocol/units.ts";
import { CalleeFields } from "./callee-fields.tsx";
import { NumberField, TextField } from "./fields.tsx";
import type { Of } from "./kind-props.ts";
import { TypeField } from "./type-field.tsx";

const MICROS = 1_000_000;

/** A mind, its tools, and how far it may go. */
export function AgentFields({ draft, node, models, problemAt, onNode }: Of<"agent">): JSX.Element {
  const putTool = (index: number, change: Partial<AgentNode["tools"][number]>): void =>
    onNode(`tool ${index}`, {
      ...node,
      tools: node.tools.map((tool, each) => (each === index ? { ...tool, ...change } : tool)),
    });
  return (
    <>
      <CalleeFields
        label="Mind"
        callee={node.mind}
        functions={draft.functions}
        models={models}
        problem={problemAt("mind")}
        onCallee={(mind) => onNode("mind", { ...node, mind })}
      />
      <div class="edit-pair">
        <NumberField
          label="Steps at most"
          value={node.maxSteps}
          most={256}
          onNumber={(maxSteps) => onNode("maxSteps", { ...node, maxSteps })}
        />
        <NumberField
          label="Budget"
          unit="credits"
          value={Number(node.budget) / MICROS}
          least={0}
          most={1_000_000}
          step={0.01}
          onNumber={(value) =>
            onNode("budget", { ...node, budget: microCredits(BigInt(Math.round(value * MICROS))) })
          }
        />
      </div>
      {node.tools.map((tool, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- tools have no other identity while they are renamed
        <fieldset class="edit-limits" key={index}>
          <legend>{`Tool ${index + 1}`}</legend>
          <TextField
            label="Name"
            value={tool.name}
            onText={(name) => {
              putTool(index, { name });
              return undefined;
            }}
          />
          <TextField
            label="What it is for"
            value={tool.about}
            onText={(about) => {
              putTool(index, { about });
              return undefined;
            }}
          />
          {tool.tool.kind === "function" && (
            <CalleeFields
              label="Function"
              callee={tool.tool.callee}
              functions={draft.functions}
              models={models}
              problem={problemAt(`tools.${index}`)}
              onCallee={(callee) => putTool(index, { tool: { kind: "function", callee } })}
            />
          )}
          <button
            class="link"
            type="button"
            onClick={() =>
              onNode("tools", { ...node, tools: node.tools.filter((_, each) => each !== index) })
            }
          >
            Remove this tool
          </button>
        </fieldset>
      ))}
      <button
        class="button button-quiet button-small"
        type="button"
        onClick={() =>
          onNode("tools", {
            ...node,
            tools: [
              ...node.tools,
              {
                name: `tool_${node.tools.length + 1}`,
                about: "",
                tool: { kind: "function", callee: node.mind },
              },
            ],
          })
        }
      >
        Add a tool
      </button>
      <TypeField
        label="Its value is"
        type={node.output}
        onType={(output) => onNode("output", { ...node, output })}
      />
    </>
  );
}
