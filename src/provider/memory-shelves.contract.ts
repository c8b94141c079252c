/* What a tab keeps, for tests where there is no IndexedDB: it outlives those who use it. */
export { memoryHoldings, memoryOpenings, memoryOutbox } from "../storage/memory-shelves.ts";
