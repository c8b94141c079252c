import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { isPictureLook, lookOf } from "../state/jobs-output.ts";
import { blobOf, bytesOf, type KeptOutput, sizeOf } from "../state/jobs-kept.ts";
import { outputName, recordsAt, resultsArchive, resultsLines } from "../state/jobs-results.ts";
import type { JobWork, TaskRecord } from "../state/jobs-work.ts";
import { saveFile } from "../state/save-file.ts";
import { counted, scaledText } from "../words/quantities.ts";
import { shortPeer } from "../words/short-id.ts";
import { JobOutput } from "./job-output.tsx";
import { JobAgain } from "./job-again.tsx";
import { Segments } from "./job-segments.tsx";
import { taskFailureWords } from "../words/job-words.ts";

/** Rows that are shown at once; a person looks at some, and saves the rest. */
const PAGE_ROWS = 10;

type Filter = "all" | "failed";

/** What came of each input: to look at, to save, and to compute again. */
export function JobTasks({ work }: { readonly work: JobWork }): JSX.Element {
  const filter = useSignal<Filter>("all");
  const page = useSignal(0);
  void work.changes.value;
  const { size } = work.records;
  const { failures } = work;
  const isWanted = filter.value === "failed" ? hasFailed : () => true;
  const pages = Math.max(1, Math.ceil((filter.value === "failed" ? failures : size) / PAGE_ROWS));
  const at = Math.min(page.value, pages - 1);
  return (
    <section class="card" aria-labelledby="job-tasks-title">
      <div class="card-head">
        <h2 id="job-tasks-title">Results</h2>
        {failures > 0 && (
          <Segments<Filter>
            label="Which results"
            name="job-filter"
            options={[
              { value: "all", label: `All ${size}` },
              { value: "failed", label: `Failed ${failures}` },
            ]}
            value={filter.value}
            onChange={(next) => {
              filter.value = next;
              page.value = 0;
            }}
          />
        )}
      </div>
      {size === 0 ? (
        <p class="empty">
          {work.phase.value.kind === "running"
            ? "Results appear here as they come."
            : "There are no results."}
        </p>
      ) : (
        <>
          <Downloads work={work} count={size - failures} />
          <ul class="job-tasks">
            {recordsAt(work, isWanted, at * PAGE_ROWS, PAGE_ROWS).map((record) => (
              <Task key={record.index} work={work} record={record} />
            ))}
          </ul>
          {pages > 1 && <Pager at={at} pages={pages} onPage={(next) => (page.value = next)} />}
        </>
      )}
    </section>
  );
}

function hasFailed({ end }: TaskRecord): boolean {
  return end.kind === "failed";
}

async function saveMade(name: string, making: Promise<Blob>): Promise<void> {
  saveFile(name, await making);
}

function Downloads({ work, count }: { readonly work: JobWork; readonly count: number }): JSX.Element {
  const stem = work.order.name.replace(/\.[^.]*$/u, "");
  return (
    <div class="button-row">
      <button
        class="button button-quiet button-small"
        type="button"
        disabled={count === 0}
        onClick={() => saveFile(`${stem}-results.tar`, resultsArchive(work, Date.now()))}
      >
        {`Save ${counted(count, "output")} as .tar`}
      </button>
      <button
        class="button button-quiet button-small"
        type="button"
        onClick={() => void saveMade(`${stem}-results.jsonl`, resultsLines(work))}
      >
        Save all as .jsonl
      </button>
    </div>
  );
}

interface PagerProps {
  readonly at: number;
  readonly pages: number;
  readonly onPage: (page: number) => void;
}

function Pager({ at, pages, onPage }: PagerProps): JSX.Element {
  return (
    <nav class="job-pager" aria-label="Pages of results">
      <button
        class="button button-quiet button-small"
        type="button"
        disabled={at === 0}
        onClick={() => onPage(at - 1)}
      >
        Before
      </button>
      <span class="hint" role="status">{`Page ${at + 1} of ${pages}`}</span>
      <button
        class="button button-quiet button-small"
        type="button"
        disabled={at === pages - 1}
        onClick={() => onPage(at + 1)}
      >
        Next
      </button>
    </nav>
  );
}

interface TaskProps {
  readonly work: JobWork;
  readonly record: TaskRecord;
}

function Task({ work, record }: TaskProps): JSX.Element {
  const isOpen = useSignal(false);
  const { index, fuel, provider, end } = record;
  const name = work.order.inputs[index]?.name ?? `input ${index + 1}`;
  return (
    <li>
      <details onToggle={(event) => (isOpen.value = event.currentTarget.open)}>
        <summary class="job-task-line">
          <span class="job-file">{name}</span>
          <Glance record={record} tile={work.order.picture?.tile(index)} />
          <span class="hint job-task-by">
            {`${scaledText(Number(fuel))} fuel`}
            {provider !== undefined && (
              <>
                {" by "}
                <span class="code" title={provider}>
                  {shortPeer(provider)}
                </span>
              </>
            )}
          </span>
        </summary>
        {isOpen.value && (
          <div class="job-task-body">
            {end.kind === "failed" ? (
              <>
                <p>{taskFailureWords(end)}</p>
                {end.detail !== "" && <p class="code job-detail">{end.detail}</p>}
              </>
            ) : (
              <Output work={work} record={record} output={end.output} suffix={end.suffix} name={name} />
            )}
            <JobAgain work={work} index={index} />
          </div>
        )}
      </details>
    </li>
  );
}

/** Of an output so much is read for its line; a picture beyond it is not shown small. */
const GLANCE_BYTES = 4_000_000;
const GLANCE_LETTERS = 160;

interface GlanceProps {
  readonly record: TaskRecord;
  readonly tile: { readonly w: number; readonly h: number } | undefined;
}

/** An output in its line: the first words, or the picture small; or that it failed. */
function Glance({ record: { end }, tile }: GlanceProps): JSX.Element {
  const bytes = useSignal<Uint8Array | undefined>(undefined);
  useEffect(() => {
    if (end.kind === "done" && sizeOf(end.output) <= GLANCE_BYTES) void readInto(end.output, bytes);
  }, [end]);
  const look = useMemo(() => (bytes.value === undefined ? undefined : lookOf(bytes.value)), [bytes.value]);
  if (end.kind === "failed") return <span class="chip chip-bad">Failed</span>;
  if (bytes.value === undefined || look === undefined) return <span />;
  if (tile !== undefined || isPictureLook(look))
    return (
      <span class="job-thumb" aria-hidden="true">
        <JobOutput output={bytes.value} label="" {...(tile === undefined ? {} : { tile })} />
      </span>
    );
  return (
    <span class="job-glance code">{look.kind === "text" ? look.text.slice(0, GLANCE_LETTERS) : ""}</span>
  );
}

async function readInto(output: KeptOutput, bytes: Signal<Uint8Array | undefined>): Promise<void> {
  bytes.value = await bytesOf(output);
}

interface OutputProps extends TaskProps {
  readonly output: KeptOutput;
  readonly suffix: string;
  readonly name: string;
}

function Output({ work, record, output, suffix, name }: OutputProps): JSX.Element {
  const bytes = useSignal<Uint8Array | undefined>(undefined);
  useEffect(() => {
    void readInto(output, bytes);
  }, [output]);
  const tile = work.order.picture?.tile(record.index);
  const save = (): void => saveFile(outputName(work, record.index, suffix), blobOf(output));
  return (
    <>
      {bytes.value !== undefined && (
        <JobOutput
          output={bytes.value}
          label={`Output of ${name}`}
          {...(tile === undefined ? {} : { tile })}
        />
      )}
      <button class="link" type="button" onClick={save}>
        Save this output
      </button>
    </>
  );
}
