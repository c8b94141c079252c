import type { GatewayText } from "./gateway-requester.ts";
import { asGatewayError, errorBody } from "./gateway-error.ts";
import { READER_STALL_MS } from "./limits.ts";
import type { AnswerHead, TextForm } from "./text-forms.ts";

/** A text under way whose first piece is there: before that, a failure still has a status of its own. */
export interface BegunText {
  readonly text: GatewayText;
  readonly pieces: AsyncIterator<string>;
  /** Absent when the text ended without any. */
  readonly first: string | undefined;
}

/** Waits for the first piece. @throws FailureError when there will be none */
export async function begun(text: GatewayText): Promise<BegunText> {
  const pieces = text[Symbol.asyncIterator]();
  const { value, done } = await pieces.next();
  return { text, pieces, first: done === true ? undefined : value };
}

async function* piecesOf({ first, pieces }: BegunText): AsyncGenerator<string> {
  if (first === undefined) return;
  yield first;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const { value, done } = await pieces.next();
    if (done === true) return;
    yield value;
  }
}

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/**
 * The chunks of a text as server-sent events. The last one before [DONE] says in `tabmesh` which job it was and which
 * receipts prove it. A failure on the way is an event of its own, and then there is no [DONE].
 */
export async function* textEvents(
  text: BegunText,
  head: AnswerHead,
  form: TextForm,
  includeUsage: boolean,
): AsyncGenerator<string> {
  // Where usage is asked for, every chunk has the field, and the last one has the numbers.
  const chunk = (json: object): string => event(includeUsage ? { ...json, usage: null } : json);
  try {
    const opening = form.opening(head);
    if (opening !== undefined) yield chunk(opening);
    for await (const piece of piecesOf(text)) if (piece !== "") yield chunk(form.piece(head, piece));
    const result = await text.text.result;
    const tabmesh = { job: head.job, receipts: result.receipts };
    if (includeUsage) {
      yield chunk(form.closing(head, result));
      yield event({ ...form.usage(head, result), tabmesh });
    } else {
      yield event({ ...form.closing(head, result), tabmesh });
    }
    yield "data: [DONE]\n\n";
  } catch (error) {
    yield event(errorBody(asGatewayError(error)));
  }
}

/**
 * As bytes, pulled as the client reads. @param onEnd called whether it was read to its end or not
 * @param stallMs after which a client that reads nothing is taken for gone
 */
export function eventBody(
  events: AsyncGenerator<string>,
  onEnd: () => void,
  stallMs: number = READER_STALL_MS,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let stall: NodeJS.Timeout | undefined;
  return new ReadableStream<Uint8Array>(
    {
      async pull(to) {
        clearTimeout(stall);
        const { value, done } = await events.next();
        if (done === true) {
          onEnd();
          to.close();
          return;
        }
        to.enqueue(encoder.encode(value));
        stall = setTimeout(() => {
          to.error(new Error("nobody reads the answer"));
          onEnd();
          void events.return(undefined);
        }, stallMs);
      },
      cancel() {
        clearTimeout(stall);
        onEnd();
      },
    },
    { highWaterMark: 0 },
  );
}
