/** `node --import` of this: the program that follows has a clock that is CLOCK_SHIFT_MS milliseconds ahead. */
import { shiftDate } from "./shift-date.ts";

shiftDate(Number(process.env["CLOCK_SHIFT_MS"]));
