/** Bounds of this room. Those that two machines must agree on are in `protocol/limits.ts`, except the window of a frame stream. */

/** Streams of one protocol that one peer may hold open. A requester needs one per lease plus a few for blobs. */
export const MAX_STREAMS_PER_PEER = 32;

/**
 * Bytes that may wait for a slow reader of a bare stream before it is reset. WebRTC has no back-pressure on the
 * receiving side, so something must give; libp2p's own default is the same 4 MiB.
 */
export const MAX_UNREAD_BYTES: number = 4 * 1024 * 1024;

/** Bare streams over transports that can wait are told to from here on: a quarter of MAX_UNREAD_BYTES leaves room for what is in flight. */
export const PAUSE_READING_BYTES: number = MAX_UNREAD_BYTES / 4;

/**
 * Bytes of frames that may be under way before the reader has taken them. 1 MiB carries 20 MB/s over 50 ms, more
 * than browsers move through a data channel, and stays well below MAX_UNREAD_BYTES. Both ends must use the same.
 */
export const FRAME_WINDOW_BYTES: number = 1024 * 1024;

/** The reader returns credit in steps of this size: a quarter of the window, so that the sender never runs dry. */
export const FRAME_CREDIT_STEP_BYTES: number = FRAME_WINDOW_BYTES / 4;

/** Small frames of one tick are joined up to this size: four WebRTC messages. Larger payloads are passed on uncopied. */
export const COALESCE_BYTES: number = 64 * 1024;
