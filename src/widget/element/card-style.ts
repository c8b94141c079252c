/** How the element looks on the page. A page changes it by the custom properties and by `::part`. */
export const CARD_STYLE: string = `
:host{display:block;max-width:26rem;min-width:15rem;line-height:1.45;font:0.9375rem/1.45 var(--tabmesh-font,system-ui,sans-serif)}
:host([hidden]){display:none}
*{box-sizing:border-box}
.card{overflow:hidden;color:var(--tabmesh-text,light-dark(#17211d,#e9eeea));background:var(--tabmesh-background,light-dark(#fffefb,#19221e));border:1px solid var(--tabmesh-border,light-dark(#dcd8cb,#2b3731));border-radius:var(--tabmesh-radius,14px)}
.inner{display:grid;gap:.6em;padding:1em 1.1em}
p{margin:0}
.text{font-weight:600}
.note{font-size:.875em;opacity:.8}
.row{display:flex;flex-wrap:wrap;gap:.5em 1.1em;align-items:center}
button{font:inherit;font-weight:600;padding:.5em 1.1em;border:0;border-radius:calc(var(--tabmesh-radius,14px)*.6);cursor:pointer;color:var(--tabmesh-on-accent,light-dark(#fff,#06241b));background:var(--tabmesh-accent,light-dark(#0b6b54,#58cfa8))}
a{color:inherit;font-size:.875em;text-underline-offset:.2em}
:focus-visible{outline:3px solid #c8692c;outline-offset:2px;border-radius:4px}
::slotted(iframe){display:block;width:100%;border:0}
`;
