import { describe, expect, test } from "vitest";
import { FAILURE_KINDS, isFailureCode } from "../protocol/failure-code.ts";
import { FailureError } from "../protocol/failure.ts";
import { ConfigError } from "../relay/settings.ts";
import { explain, explanationText } from "./explain.ts";
import { EXIT, PlainError, usageError } from "./plain-error.ts";
import { relayTrouble } from "./requester.ts";

describe("an error in words", () => {
  test("says what happened, why, who pays, and what to do, with the code to search for", () => {
    const error = new FailureError("import-refused", "env.fetch");
    expect(explanationText(explain(error))).toBe(
      "tabmesh: The function imports something that is not on the list. [30016 import-refused]\n" +
        "  why:  env.fetch\n" +
        "  pays: Nobody pays: what was set aside goes back to the requester.\n" +
        "  do:   Remove the import; its name is in the detail.\n",
    );
  });

  test.each(FAILURE_KINDS.map(({ code, name }) => [name, code] as const))(
    "%s has a cause, a payer and an advice",
    (_, code) => {
      if (!isFailureCode(code)) throw new Error("no code");
      const { what, why, pays, advice, exit } = explain(new FailureError(code, "the detail"));
      expect([what, pays, advice]).not.toContain("");
      expect(pays).toBeDefined();
      expect(why).toBe("the detail");
      expect(exit).toBe(EXIT.failed);
    },
  );

  test("a missing file is named", () => {
    const error = Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT", path: "scene.json" });
    expect(explain(error).what).toBe("scene.json cannot be used: there is no such file or folder.");
  });

  test("a port in use says how to take another", () => {
    const error = Object.assign(new Error("listen EADDRINUSE: address already in use"), {
      code: "EADDRINUSE",
    });
    expect(explain(error).advice).toContain("--port");
  });

  test("wrong settings are usage errors, all of them named", () => {
    const { what, exit } = explain(new ConfigError(["--port is wrong", "--grant is wrong"]));
    expect(what).toBe("--port is wrong\n--grant is wrong");
    expect(exit).toBe(EXIT.usage);
  });

  test("what nobody foresaw keeps its message and its cause", () => {
    const error = new Error("the disk melted", { cause: new Error("it was hot") });
    expect(explain(error)).toEqual({ what: "the disk melted", why: "it was hot", exit: EXIT.failed });
    expect(explain("odd").what).toBe("odd");
    expect(explain(usageError("no")).exit).toBe(EXIT.usage);
  });
});

describe("trouble with the relay", () => {
  test("silence says how to start one", () => {
    const trouble = relayTrouble(new FailureError("disconnected", "fetch failed"), "http://localhost:1");
    expect(trouble).toBeInstanceOf(PlainError);
    expect(trouble).toMatchObject({ what: "No relay answers at http://localhost:1." });
  });

  test("other keys than at first contact are never waved through", () => {
    const trouble = relayTrouble(new FailureError("forged-checkpoint", "other keys"), "http://localhost:1");
    expect(trouble).toMatchObject({ why: "other keys" });
    expect(explain(trouble).advice).toContain("npx tabmesh forget --relay http://localhost:1");
  });

  test("a refusal stays what it is", () => {
    const refusal = new FailureError("insufficient-funds", "0 of 5");
    expect(relayTrouble(refusal, "http://localhost:1")).toBe(refusal);
  });
});
