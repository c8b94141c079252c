import type { ComponentChildren, JSX } from "preact";

export interface NoticeProps {
  readonly tone: "wait" | "alarm" | "info";
  readonly title: string;
  readonly children: ComponentChildren;
}

/** Something the person should know, with what to do about it. */
export function Notice({ tone, title, children }: NoticeProps): JSX.Element {
  return (
    <div class="notice" data-tone={tone}>
      <p class="notice-title">{title}</p>
      {children}
    </div>
  );
}
