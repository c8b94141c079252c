import type { Screen } from "./live-block.ts";

/** A terminal as far as the displays use one: printed characters, \r, \n, cursor up, erase. Colours leave no trace. */
export class TestTerminal implements Screen {
  readonly isTTY = true;
  readonly columns: number;
  readonly #rows: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns: number = 80) {
    this.columns = columns;
  }

  write(text: string): void {
    // oxlint-disable-next-line no-control-regex -- escape sequences are what this is about
    for (const [token, count, command] of text.matchAll(/\u001b\[([\d;]*)([A-Za-z])|[^\u001b]/gu)) {
      if (command !== undefined) this.#obey(command, Number(count === "" ? 1 : count));
      else this.#print(token);
    }
  }

  /** What stands on the screen, without blanks at the ends. */
  get lines(): readonly string[] {
    return this.#rows.map((row) => row.join("").trimEnd());
  }

  #obey(command: string, count: number): void {
    if (command === "A") this.#row = Math.max(0, this.#row - count);
    else if (command === "K") this.#rows[this.#row]?.splice(this.#column);
    else if (command === "J") {
      this.#rows[this.#row]?.splice(this.#column);
      this.#rows.splice(this.#row + 1);
    }
  }

  #print(character: string): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\n") {
      this.#row += 1;
      this.#column = 0;
      this.#rows[this.#row] ??= [];
    } else {
      const row = (this.#rows[this.#row] ??= []);
      while (row.length < this.#column) row.push(" ");
      row[this.#column] = character;
      this.#column += 1;
    }
  }
}

/** Standard error that goes to a file. */
export class TestFile implements Screen {
  readonly isTTY = false;
  readonly lines: string[] = [];

  write(text: string): void {
    this.lines.push(...text.split("\n").slice(0, -1));
  }
}
