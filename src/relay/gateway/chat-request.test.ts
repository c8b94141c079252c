import { expect, test } from "vitest";
import { readChatRequest } from "./chat-request.ts";

function requestOf(role: string): unknown {
  return { model: "a model", messages: [{ role, content: "Hello?" }] };
}

test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "tool", ""])(
  "a message whose role is %j is refused, whatever objects know by that name",
  (role) => {
    expect(() => readChatRequest(requestOf(role))).toThrow(
      expect.objectContaining({ status: 400, param: "messages[0].role" }),
    );
  },
);

test("a developer is heard as the system", () => {
  expect(readChatRequest(requestOf("developer")).request.messages).toEqual([
    { role: "system", content: "Hello?" },
  ]);
});
