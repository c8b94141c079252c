import type { JSX } from "preact";
import { useSignal } from "@preact/signals";
import { MODELS_CAP_BYTES } from "../../provider/limits.ts";
import type { ModelsState } from "../../provider/model-jobs.ts";
import type { ProviderState } from "../../provider/provider-state.ts";
import type { StoredModel } from "../../provider/tab-memory.ts";
import type { ModelShelf, StoredModels } from "../state/stored-models.ts";
import { bytesText, licenceText, modelUse, sourcesText } from "../words/model-words.ts";
import { Dialog } from "./dialog.tsx";
import { Notice } from "./notice.tsx";

type Download = ModelsState["downloads"][number];

export interface ModelsPanelProps {
  readonly shelf: ModelShelf;
  readonly stored: StoredModels;
  readonly provider: ProviderState;
}

/** Model files on this machine: what they take, how a new one comes in, and how to be rid of one. */
export function ModelsPanel({ shelf, stored, provider }: ModelsPanelProps): JSX.Element {
  const { models } = provider;
  const downloads = models?.downloads ?? [];
  const deleting = useSignal<StoredModel | undefined>(undefined);
  return (
    <section class="card" aria-labelledby="stored-models-title">
      <div class="card-head">
        <h2 id="stored-models-title">Models on this machine</h2>
        <ModelRoom shelf={shelf} downloads={downloads} />
      </div>
      {models?.noRoom !== undefined && (
        <Notice tone="wait" title="No room for a model">
          <p>{models.noRoom} Delete one below, or free some disk space.</p>
        </Notice>
      )}
      <ModelList
        shelf={shelf}
        models={models}
        downloads={downloads}
        onDelete={(model) => {
          deleting.value = model;
        }}
      />
      {deleting.value !== undefined && (
        <DeleteDialog
          model={deleting.value}
          onDelete={({ cid }) => {
            deleting.value = undefined;
            void stored.remove(cid);
          }}
          onCancel={() => {
            deleting.value = undefined;
          }}
        />
      )}
    </section>
  );
}

interface ModelRoomProps {
  readonly shelf: ModelShelf;
  readonly downloads: readonly Download[];
}

/** What models take now, and may take: the shelf is of the last change, downloads go on since. */
function ModelRoom({ shelf, downloads }: ModelRoomProps): JSX.Element {
  const since = downloads.reduce((sum, { cid, bytes }) => {
    const before = shelf.models.find((model) => model.cid === cid)?.bytes ?? 0;
    return sum + Math.max(0, bytes - before);
  }, 0);
  return (
    <p class="hint">
      {bytesText(shelf.usedBytes + since)} of at most{" "}
      {bytesText(Math.min(MODELS_CAP_BYTES, shelf.usedBytes + shelf.freeBytes))}
    </p>
  );
}

interface ModelListProps {
  readonly shelf: ModelShelf;
  readonly models: ModelsState | undefined;
  readonly downloads: readonly Download[];
  readonly onDelete: (model: StoredModel) => void;
}

function ModelList({ shelf, models, downloads, onDelete }: ModelListProps): JSX.Element {
  if (shelf.models.length === 0 && downloads.length === 0)
    return (
      <p class="empty running-empty">
        None yet. When a job needs a model, this tab fetches it once, checks every part, and keeps it. Where
        room runs out, those used longest ago go.
      </p>
    );
  const unlisted = downloads.filter(({ cid }) => shelf.models.every((model) => model.cid !== cid));
  return (
    <ul class="models">
      {unlisted.map((download) => (
        <li class="model" key={download.cid}>
          <div class="model-words">
            <p class="model-name">{download.name}</p>
            <DownloadProgress download={download} />
          </div>
        </li>
      ))}
      {shelf.models.map((model) => (
        <ModelRow
          key={model.cid}
          model={model}
          models={models}
          download={downloads.find(({ cid }) => cid === model.cid)}
          onDelete={onDelete}
        />
      ))}
    </ul>
  );
}

interface ModelRowProps {
  readonly model: StoredModel;
  readonly models: ModelsState | undefined;
  readonly download: Download | undefined;
  readonly onDelete: (model: StoredModel) => void;
}

function ModelRow({ model, models, download, onDelete }: ModelRowProps): JSX.Element {
  const { cid, manifest, bytes, complete } = model;
  const isOpen = models?.open?.cid === cid;
  const isOpening = models?.opening?.cid === cid;
  return (
    <li class="model">
      <div class="model-words">
        <p class="model-name">
          <span title={cid}>{manifest.name}</span>
          {isOpen && <span class="chip chip-good">loaded</span>}
          {isOpening && <span class="chip">loading</span>}
        </p>
        {download === undefined ? (
          <p class="hint">
            {complete
              ? `${bytesText(manifest.size)} · ${modelUse(manifest)} · ${licenceText(manifest.licence)}`
              : `${bytesText(bytes)} of ${bytesText(manifest.size)} are here; the rest comes with the next job that needs it`}
          </p>
        ) : (
          <DownloadProgress download={download} />
        )}
      </div>
      <button
        class="button button-quiet button-small"
        type="button"
        aria-label={`Delete ${manifest.name}`}
        onClick={() => onDelete(model)}
      >
        Delete
      </button>
    </li>
  );
}

function DownloadProgress({ download }: { readonly download: Download }): JSX.Element {
  const { name, bytes, totalBytes, bytesPerSecond, sources } = download;
  const from = sourcesText(sources);
  return (
    <>
      <progress max={totalBytes} value={bytes} aria-label={`Download of ${name}`} />
      <p class="hint">
        {bytesText(bytes)} of {bytesText(totalBytes)}
        {bytesPerSecond > 0 && ` · ${bytesText(bytesPerSecond)}/s`}
        {from !== undefined && ` · from ${from}`}
      </p>
    </>
  );
}

interface DeleteDialogProps {
  readonly model: StoredModel;
  readonly onDelete: (model: StoredModel) => void;
  readonly onCancel: () => void;
}

function DeleteDialog({ model, onDelete, onCancel }: DeleteDialogProps): JSX.Element {
  const { manifest, bytes, complete } = model;
  return (
    <Dialog title={`Delete ${manifest.name}?`} onClose={onCancel}>
      <p>
        {bytesText(bytes)} become free. {complete ? "" : "Its download ends. "}
        The next job that needs this model fetches it again; nothing else is lost.
      </p>
      <div class="dialog-actions">
        <button class="button button-quiet" type="button" onClick={onCancel}>
          Keep it
        </button>
        <button class="button button-alarm" type="button" onClick={() => onDelete(model)}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
