import { expect, it } from "vitest";
import { KERNEL_NAMES, PROGRAMS } from "./kernels.ts";

it.each(KERNEL_NAMES)("%s gives every variable of a function a value", (name) => {
  // SwiftShader (Chromium 156) keeps the last turn's value of an array that is declared without one in a loop.
  expect(PROGRAMS[name].match(/^\s+var \w+: [^=;]+;/mu)).toBeNull();
});

it.each(KERNEL_NAMES)("%s has no float, and asks for no extension", (name) => {
  expect(PROGRAMS[name]).not.toMatch(/\b(?:f32|f16|vec[234][fh]|enable|requires|subgroup\w*)\b/u);
});

it.each(KERNEL_NAMES)("%s takes eight storage buffers at most, as every device has", (name) => {
  const code = PROGRAMS[name].replaceAll(/\/\/.*/gu, "");
  expect(code.match(/var<storage/gu)?.length).toBeLessThanOrEqual(8);
});
