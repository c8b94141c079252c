/** Bounds of the threads that run functions in a Node process. They protect the machine; none of them decides an outcome. */

/** Bytes of inputs and modules that may wait for a thread: eight of the largest modules. What comes on top is declined. */
export const MAX_WAITING_BYTES: number = 512 * 1024 * 1024;

/** JavaScript heap of one thread in MiB: rewriting the largest module takes about 400. Linear memories are not part of it. */
export const THREAD_HEAP_MIB = 1_024;

/** Frames of a trap's stack that are kept: V8 keeps ten unless told, which hides who called. */
export const STACK_FRAMES = 50;
