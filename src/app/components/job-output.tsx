import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { lookOf, type OutputLook, spread } from "../state/jobs-output.ts";

export interface JobOutputProps {
  readonly output: Uint8Array;
  /** Of a tile: RGB8 by rows, which says nothing of its size by itself. */
  readonly tile?: { readonly w: number; readonly h: number };
  /** For who does not see the picture. */
  readonly label: string;
}

/** An output as what it seems to be: a picture, a text, or bytes. */
export function JobOutput({ output, tile, label }: JobOutputProps): JSX.Element {
  // A picture of millions of pixels is not taken apart at each change of the page.
  const look = useMemo(
    () => (tile === undefined ? lookOf(output) : tileLook(output, tile)),
    [output, tile?.w, tile?.h],
  );
  return <Look look={look} output={output} label={label} />;
}

function tileLook(output: Uint8Array, { w, h }: { readonly w: number; readonly h: number }): OutputLook {
  if (output.length !== w * h * 3) return lookOf(output);
  return { kind: "pixels", width: w, height: h, rgba: spread(output, w * h, 3) };
}

interface LookProps {
  readonly look: OutputLook;
  readonly output: Uint8Array;
  readonly label: string;
}

function Look({ look, output, label }: LookProps): JSX.Element {
  switch (look.kind) {
    case "picture":
      return <Picture type={look.type} output={output} label={label} />;
    case "pixels":
      return <Pixels look={look} label={label} />;
    case "text":
      return (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
        <pre class="job-text" tabIndex={0} aria-label={label}>
          {look.text}
        </pre>
      );
    case "bytes":
      return (
        <pre class="job-text" tabIndex={0} aria-label={label}>
          {look.hex}
        </pre>
      );
    case "empty":
      return <p class="hint">The output is empty.</p>;
    default:
      return look satisfies never;
  }
}

function Picture({
  type,
  output,
  label,
}: {
  readonly type: string;
  readonly output: Uint8Array;
  readonly label: string;
}): JSX.Element {
  const url = useSignal<string | undefined>(undefined);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([new Uint8Array(output)], { type }));
    url.value = made;
    return () => URL.revokeObjectURL(made);
  }, [output, type]);
  return url.value === undefined ? (
    <p class="hint">…</p>
  ) : (
    <img class="job-image" src={url.value} alt={label} />
  );
}

function Pixels({
  look,
  label,
}: {
  readonly look: Extract<OutputLook, { kind: "pixels" }>;
  readonly label: string;
}): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, rgba } = look;
  useEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }, [rgba, width, height]);
  return (
    <canvas ref={canvas} class="job-image" width={width} height={height} role="img" aria-label={label} />
  );
}
