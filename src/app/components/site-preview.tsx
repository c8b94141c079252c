import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { SiteId } from "../../protocol/site.ts";
import { type Look, lookProperties } from "../words/widget-look.ts";

export interface SitePreviewProps {
  readonly site: SiteId;
  readonly look: Look;
}

/** What sites load, from where they load it. */
const SCRIPT = "/widget.js";

/** The widget itself, as on the site's pages, but its button does nothing here. */
export function SitePreview({ site, look }: SitePreviewProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const isMissing = useSignal(false);
  useEffect(() => {
    const load = async (): Promise<void> => {
      try {
        await import(/* @vite-ignore */ SCRIPT);
      } catch {
        isMissing.value = true;
      }
    };
    void load();
  }, [isMissing]);
  useEffect(() => {
    const element = document.createElement("tabmesh-widget");
    element.setAttribute("site", site);
    if (look.language !== "") element.lang = look.language;
    if (look.language === "ar") element.dir = "rtl";
    for (const [name, value] of lookProperties(look)) element.style.setProperty(name, value);
    place.current?.replaceChildren(element);
  }, [site, look]);
  return (
    <figure class="preview">
      <figcaption class="hint">So it looks on your pages, where its button works.</figcaption>
      <div class="preview-page" inert ref={place} />
      {isMissing.value && (
        <p class="hint hint-alarm">
          The widget could not be loaded for a preview. Reload the page to try again.
        </p>
      )}
    </figure>
  );
}
