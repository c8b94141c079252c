import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { type SiteId, widgetSnippet } from "../../protocol/site.ts";
import { type Look, lookCss, PLAIN_LOOK } from "../words/widget-look.ts";
import { CopyButton } from "./copy-button.tsx";
import { SitePreview } from "./site-preview.tsx";

export interface SiteSnippetProps {
  readonly relayUrl: string;
  readonly site: SiteId;
}

const LANGUAGES = [
  ["", "As the visitor’s browser asks"],
  ["en", "English"],
  ["de", "Deutsch"],
  ["es", "Español"],
  ["zh", "中文"],
  ["ar", "العربية"],
] as const;

/** What goes into the site's pages, and how it will look there. */
export function SiteSnippet({ relayUrl, site }: SiteSnippetProps): JSX.Element {
  const look = useSignal<Look>(PLAIN_LOOK);
  const { language } = look.value;
  const host = new URL(relayUrl).origin;
  const code = widgetSnippet(host, site, language);
  const css = lookCss(look.value);
  const change = (next: Partial<Look>): void => {
    look.value = { ...look.value, ...next };
  };
  return (
    <section class="site-part" aria-labelledby="snippet-title">
      <h3 id="snippet-title">For your pages</h3>
      <p class="hint">
        Put this where the widget is to be. Less than 4 kB are loaded, and nothing runs, until a visitor has
        pressed the button and agreed.
      </p>
      <pre class="recipe snippet code" tabIndex={0} aria-label="Code for your pages">
        {code}
      </pre>
      <CopyButton text={code} label="Copy code" />
      <details class="technical">
        <summary>If your site has a content security policy</summary>
        <p>Add this address to two of its directives; nothing else is needed.</p>
        <p class="code">
          script-src {host}; frame-src {host}
        </p>
      </details>
      <div class="preview-parts">
        <SitePreview site={site} look={look.value} />
        <fieldset class="look">
          <legend>Look</legend>
          <ColourField
            label="Button"
            own="#0b6b54"
            value={look.value.accent}
            onChange={(accent) => change({ accent })}
          />
          <ColourField
            label="Background"
            own="#fffefb"
            value={look.value.background}
            onChange={(background) => change({ background })}
          />
          <div class="field">
            <label for="look-radius">Corners</label>
            <input
              id="look-radius"
              type="range"
              min={0}
              max={28}
              value={look.value.radiusPx}
              aria-valuetext={`${look.value.radiusPx} pixels`}
              onInput={(event) => change({ radiusPx: event.currentTarget.valueAsNumber })}
            />
          </div>
          <div class="field">
            <label for="look-language">Language</label>
            <select
              id="look-language"
              value={language}
              onChange={(event) => change({ language: event.currentTarget.value })}
            >
              {LANGUAGES.map(([value, name]) => (
                <option key={value} value={value} lang={value === "" ? undefined : value}>
                  {name}
                </option>
              ))}
            </select>
          </div>
        </fieldset>
      </div>
      {css !== "" && (
        <>
          <p class="hint">And this into your style sheet:</p>
          <pre class="recipe snippet code" tabIndex={0} aria-label="Style for your pages">
            {css}
          </pre>
          <CopyButton text={css} label="Copy style" />
        </>
      )}
    </section>
  );
}

interface ColourFieldProps {
  readonly label: string;
  /** The widget's own colour, in light. */
  readonly own: string;
  /** Empty: the widget's own. */
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function ColourField({ label, own, value, onChange }: ColourFieldProps): JSX.Element {
  const id = `look-${label.toLowerCase()}`;
  return (
    <div class="field colour-field">
      <label for={id}>{label}</label>
      <span class="colour-row">
        <input
          id={id}
          type="color"
          value={value === "" ? own : value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
        {value === "" ? (
          <span class="hint">as it comes</span>
        ) : (
          <button class="link" type="button" onClick={() => onChange("")}>
            as it comes<span class="aside"> for {label}</span>
          </button>
        )}
      </span>
    </div>
  );
}
