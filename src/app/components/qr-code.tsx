import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { encodeQR } from "qr";

export interface QrCodeProps {
  readonly text: string;
  /** What it is, for who does not see it. */
  readonly label: string;
}

/** Light squares around a code that readers need. */
const BORDER = 3;

/** A QR code, dark on light in either theme: not every camera reads it the other way round. */
export function QrCode({ text, label }: QrCodeProps): JSX.Element {
  const { size, path } = useMemo(() => {
    const rows = encodeQR(text, "raw", { border: BORDER, ecc: "medium" });
    const squares = rows.flatMap((row, y) =>
      row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])),
    );
    return { size: rows.length, path: squares.join("") };
  }, [text]);
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <rect class="qr-ground" width={size} height={size} />
      <path class="qr-dots" d={path} />
    </svg>
  );
}
