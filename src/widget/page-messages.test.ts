import { expect, test } from "vitest";
import { readMessage } from "./page-messages.ts";
import { readGrant, readHere, readKnock } from "./window-messages.ts";

const TICKET = "0123456789abcdef0123456789abcdef";
const SITE = "site-abcdefghijklmnopqrst";
const PEER = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5";

test.each([
  { tabmesh: "state", phase: "working", minutes: 3, amount: "1200", until: 5_000 },
  { tabmesh: "size", height: 120 },
  { tabmesh: "wish", wish: "stop" },
  { tabmesh: "wish", wish: "rest" },
  { tabmesh: "agreed", site: SITE, ticket: TICKET },
  { tabmesh: "framed", ticket: TICKET, index: 2 },
])("what page, frame and window say is read as it was said: %j", (message) => {
  expect(readMessage({ ...message, more: "is left out" })).toEqual(message);
});

test.each([
  null,
  "stop",
  { tabmesh: "start" },
  { tabmesh: "wish", wish: "start" },
  { tabmesh: "state", phase: "granted", minutes: 3, amount: "1", until: 5 },
  { tabmesh: "state", phase: "working", minutes: -1, amount: "1", until: 5 },
  { tabmesh: "state", phase: "working", minutes: 1.5, amount: "1", until: 5 },
  { tabmesh: "state", phase: "working", minutes: 1, amount: "<b>1</b>", until: 5 },
  { tabmesh: "state", phase: "working", minutes: 1, amount: 1, until: 5 },
  { tabmesh: "size", height: Number.NaN },
  { tabmesh: "size", height: Number.POSITIVE_INFINITY },
  { tabmesh: "size", height: "12px" },
  { tabmesh: "agreed", site: SITE, ticket: "short" },
  { tabmesh: "agreed", site: 5, ticket: TICKET },
  { tabmesh: "framed", ticket: TICKET, index: -1 },
  { tabmesh: "grant", ticket: TICKET },
])("anything else is no message: %j", (message) => {
  expect(readMessage(message)).toBeUndefined();
});

test("what window and frame say is read as it was said", () => {
  const knock = { tabmesh: "knock", ticket: TICKET };
  const here = { tabmesh: "here", ticket: TICKET, site: SITE, session: PEER };
  const grant = {
    tabmesh: "grant",
    ticket: TICKET,
    account: PEER,
    delegation: Uint8Array.of(1),
    until: 5_000,
  };
  expect(readKnock(knock)).toEqual(knock);
  expect(readHere(here)).toEqual(here);
  expect(readGrant(grant)).toEqual(grant);
  expect(readHere({ ...here, site: "news.example" })).toBeUndefined();
  expect(readHere({ ...here, session: "me" })).toBeUndefined();
  expect(readKnock({ ...knock, ticket: "" })).toBeUndefined();
  expect(readGrant({ ...grant, delegation: [1] })).toBeUndefined();
  expect(readGrant({ ...grant, until: Number.POSITIVE_INFINITY })).toBeUndefined();
  expect(readGrant({ ...grant, account: "me" })).toBeUndefined();
  expect(readGrant(here)).toBeUndefined();
});
