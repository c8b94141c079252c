/** How a site's owner wants the widget to look. Empty: as it comes. */
export interface Look {
  /** Colours as in "#0b6b54". */
  readonly accent: string;
  readonly background: string;
  readonly radiusPx: number;
  /** As in a `lang` attribute. */
  readonly language: string;
}

const USUAL_RADIUS_PX = 14;

export const PLAIN_LOOK: Look = { accent: "", background: "", radiusPx: USUAL_RADIUS_PX, language: "" };

/** Share of light that a colour gives back, 0 to 1 (WCAG 2.2, relative luminance). */
function luminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((value) =>
    value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Black or white, whichever stands out more on a colour: at least 4.5 to 1 on any. */
export function inkOn(colour: string): string {
  const light = luminance(colour);
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

/** Custom properties of the widget, by name. */
export function lookProperties({
  accent,
  background,
  radiusPx,
}: Look): readonly (readonly [string, string])[] {
  return [
    ...(accent === ""
      ? []
      : ([
          ["--tabmesh-accent", accent],
          ["--tabmesh-on-accent", inkOn(accent)],
        ] as const)),
    ...(background === ""
      ? []
      : ([
          ["--tabmesh-background", background],
          ["--tabmesh-text", inkOn(background)],
        ] as const)),
    ...(radiusPx === USUAL_RADIUS_PX ? [] : ([["--tabmesh-radius", `${radiusPx}px`]] as const)),
  ];
}

/** What goes into a site's style sheet; empty where the widget looks as it comes. */
export function lookCss(look: Look): string {
  const lines = lookProperties(look).map(([name, value]) => `  ${name}: ${value};\n`);
  return lines.length === 0 ? "" : `tabmesh-widget {\n${lines.join("")}}`;
}
