/** What the element says by itself; everything else is said by the frame and the window. */
export interface ElementWords {
  readonly offer: string;
  readonly start: string;
  /** Before anything is loaded: what pressing the button does. */
  readonly promise: string;
  readonly about: string;
  readonly asking: string;
  readonly again: string;
  readonly other: string;
  readonly blocked: string;
  readonly alone: string;
}

const ENGLISH: ElementWords = {
  offer: "Support this site with a little spare computing time",
  start: "Take part",
  promise: "You are asked first. Nothing runs before you agree.",
  about: "What is this?",
  asking: "Answer in the window that has opened.",
  again: "Show it again",
  other: "This page already contributes further up or down.",
  blocked: "The widget could not be opened here.",
  alone: "Contribute in a tab of its own",
};

const ROWS: Readonly<Record<string, ElementWords>> = {
  en: ENGLISH,
  de: {
    offer: "Unterstützen Sie diese Seite mit etwas freier Rechenzeit",
    start: "Mitmachen",
    promise: "Sie werden erst gefragt. Ohne Ihr Ja läuft nichts.",
    about: "Was ist das?",
    asking: "Antworten Sie in dem Fenster, das sich geöffnet hat.",
    again: "Noch einmal zeigen",
    other: "Diese Seite trägt schon an anderer Stelle bei.",
    blocked: "Das Widget ließ sich hier nicht öffnen.",
    alone: "In einem eigenen Tab beitragen",
  },
  es: {
    offer: "Apoye este sitio con un poco de tiempo de cálculo libre",
    start: "Participar",
    promise: "Primero se le pregunta. Nada se ejecuta sin su permiso.",
    about: "¿Qué es esto?",
    asking: "Responda en la ventana que se ha abierto.",
    again: "Mostrarla otra vez",
    other: "Esta página ya contribuye en otro lugar.",
    blocked: "El widget no se pudo abrir aquí.",
    alone: "Contribuir en una pestaña propia",
  },
  zh: {
    offer: "用一点闲置的计算时间支持本站",
    start: "参与",
    promise: "会先征求您的同意，在此之前不运行任何程序。",
    about: "这是什么？",
    asking: "请在打开的窗口中回答。",
    again: "再次显示",
    other: "本页面已在别处参与。",
    blocked: "无法在此处打开小部件。",
    alone: "在单独的标签页中参与",
  },
  ar: {
    offer: "ادعم هذا الموقع بقليل من وقت الحوسبة الفائض",
    start: "شارك",
    promise: "سنسألك أولاً. لا يعمل شيء قبل موافقتك.",
    about: "ما هذا؟",
    asking: "أجب في النافذة التي فُتحت.",
    again: "إظهارها مجددًا",
    other: "هذه الصفحة تساهم بالفعل في موضع آخر.",
    blocked: "تعذّر فتح الأداة هنا.",
    alone: "ساهم في علامة تبويب مستقلة",
  },
};

/** Languages there are words in. */
export const LANGUAGES: readonly string[] = Object.keys(ROWS);

/** The first language asked for that there are words in; English where there is none. @param wanted tags as in "zh-Hant-TW" */
export function chooseLanguage(wanted: readonly string[]): string {
  const tags = wanted.map((tag) => tag.split("-")[0]?.toLowerCase() ?? "");
  return tags.find((tag) => LANGUAGES.includes(tag)) ?? "en";
}

export function elementWords(language: string): ElementWords {
  return ROWS[language] ?? ENGLISH;
}
