/** What the command line does with an open model; it sees this room alone. */
export { generateText, transcriptToJson, verifyWith } from "../../inference/local/generate-text.ts";
