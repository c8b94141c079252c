import { describe, expect, test } from "vitest";
import { encodeUtf8 } from "../../protocol/text.ts";
import { answerOf, elementLine } from "./call-answer.ts";

function ofJson(value: unknown): ReturnType<typeof answerOf> {
  return answerOf({ type: "json" }, encodeUtf8(JSON.stringify(value)));
}

describe("what a plan comes to", () => {
  test("is answered as what it is: text, bytes or JSON", () => {
    const bytes = encodeUtf8("hello");
    expect(answerOf({ type: "text" }, bytes).headers).toEqual({
      "content-type": "text/plain; charset=utf-8",
    });
    expect(answerOf({ type: "bytes" }, bytes).headers).toEqual({
      "content-type": "application/octet-stream",
    });
    expect(ofJson([1, 2])).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
  });

  test("may be an answer of its own, with a status, a type and a body", () => {
    const headers = { "Content-Type": "text/html", ETag: '"1"' };
    expect(ofJson({ status: 404, headers, body: "<p>no</p>" })).toEqual({
      status: 404,
      headers: { "content-type": "text/html", etag: '"1"' },
      body: "<p>no</p>",
    });
    expect(ofJson({ status: 201, body: { a: 1 } })).toMatchObject({ status: 201, body: '{"a":1}' });
    expect(Buffer.from(ofJson({ status: 200, base64: "aGk=" }).body).toString()).toBe("hi");
  });

  test.each([
    "set-cookie",
    "content-security-policy",
    "access-control-allow-origin",
    "location",
    "x-frame-options",
  ])("says nothing of %s", (name) => {
    expect(Object.keys(ofJson({ status: 200, headers: { [name]: "x" }, body: "" }).headers)).toEqual([
      "content-type",
    ]);
  });

  test("puts no line of its own into the headers", () => {
    const headers = { etag: "a\r\nset-cookie: b=c", "content-type": "text/html\n" };
    expect(ofJson({ status: 200, headers, body: "" }).headers).toEqual({
      "content-type": "text/plain; charset=utf-8",
    });
  });

  test.each(["multipart/x-mixed-replace; boundary=a", "text/html, Multipart/mixed"])(
    "has no parts with headers of their own: %j",
    (type) => {
      expect(ofJson({ status: 200, headers: { "content-type": type }, body: "" }).headers).toEqual({
        "content-type": "text/plain; charset=utf-8",
      });
    },
  );

  test.each([
    { status: 302, body: "" },
    { status: 99, body: "" },
    { status: "200", body: "" },
    { status: 200, more: 1 },
  ])("leads nowhere, and is JSON where it is no answer: %j", (value) => {
    expect(ofJson(value)).toMatchObject({ status: 200, headers: { "content-type": "application/json" } });
  });
});

test("an element is one line, however whoever made it has written it", () => {
  const written = encodeUtf8('{\n\n"a":\r1,\r\n"b":"\\n"}\n');
  expect(elementLine({ type: "json" }, written)).toBe('{"a":1,"b":"\\n"}');
  expect(elementLine({ type: "list", of: { type: "json" } }, encodeUtf8("[1,\n\n2]"))).toBe("[1,2]");
  expect(() => elementLine({ type: "json" }, encodeUtf8("1\n\nevent: result"))).toThrow(SyntaxError);
  expect(elementLine({ type: "text" }, encodeUtf8("a\nb"))).toBe('"a\\nb"');
});
