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

/** Streams this peer may open per connection and protocol; libp2p's 64 would stop a requester with a hundred leases at one peer. */
export const MAX_OUTBOUND_STREAMS = 256;

/**
 * Attempts to connect, in order. A relayed handshake and ICE take under half a second here, a few over a far TURN server.
 * libp2p does not report a handshake that went wrong (DTLS of node-datachannel fails in 1 of 20 dials from Node), so the
 * first attempts are short. A person waits no longer than the sum for a reason.
 */
export const DIAL_ATTEMPTS_MS: readonly number[] = [3_000, 4_000, 8_000];

/** Between two attempts: time for libp2p to forget the first. */
export const DIAL_PAUSE_MS = 100;

/** What libp2p is told for one address; the attempts above end before it. */
export const DIAL_TIMEOUT_MS = 20_000;

/** Opening a stream on a connection that stands takes one round trip; beyond this the connection is dead and dialled anew. */
export const STREAM_OPEN_TIMEOUT_MS = 5_000;

/** First pause before the relay is tried again; doubled each time, with jitter so that a thousand tabs do not return at once. */
export const RECONNECT_FIRST_MS = 500;

/** Longest pause between attempts: a relay that was down for an hour is found again within half a minute. */
export const RECONNECT_MAX_MS = 30_000;

/** Dialling the relay and reserving a slot there. After a restart a relay shakes hands with all its tabs at once. */
export const RELAY_DIAL_TIMEOUT_MS = 20_000;

/** One handshake at the relay, for the same reason; libp2p's default is 10 s. */
export const RELAY_UPGRADE_TIMEOUT_MS = 20_000;

/** How often a peer asks whether its relay is still there: below the 60 s after which proxies close idle connections. */
export const RELAY_CHECK_MS = 20_000;

/** A relay that has not answered by then is gone. */
export const RELAY_CHECK_TIMEOUT_MS = 10_000;

/**
 * How often the relay pings its WebSockets, and drops those that did not answer the last ping: keeps proxies from
 * closing idle connections, and notices a tab that vanished without a word within a minute.
 */
export const SOCKET_PING_MS = 30_000;

/** One WebSocket message to the relay. Noise messages are 64 KiB at most; `ws` would buffer 100 MiB of a stranger's bytes. */
export const MAX_SOCKET_MESSAGE_BYTES: number = 256 * 1024;

/** Bytes of one circuit-relayed connection, both ways. It carries the WebRTC handshake, some 10 KiB, and is no path for data. */
export const CIRCUIT_MAX_BYTES: number = 128 * 1024;

/** Life of one circuit-relayed connection. */
export const CIRCUIT_MAX_MS: number = 2 * 60 * 1000;

/** Connections a relay holds by default: at 60 kB each 300 MB of heap and external memory. */
export const RELAY_MAX_CONNECTIONS = 5_000;

/** WebSockets of a relay that are still shaking hands: a restart brings every tab back within seconds. */
export const RELAY_MAX_PENDING = 1_000;

/** Handshakes under way at a peer: libp2p's 10 refuses requesters that arrive together. */
export const PEER_MAX_PENDING = 100;

/** Connections per second that a peer accepts through its relay, which all count as one host; libp2p's default is 5. */
export const PEER_MAX_INBOUND_PER_SECOND = 100;

/**
 * Bytes of one WebRTC message, the most that every libp2p accepts. Larger ones are slower, too: between two Chromium
 * tabs 1 MiB took 64 ms with 16 KiB (16.3 MB/s, a bare data channel 18.0), 90 ms with 64 KiB, 124 ms with 250 KiB.
 */
export const DATA_CHANNEL_MESSAGE_BYTES: number = 16 * 1024;

/** How long an answering peer waits for the dialler to close its first data channel: a round trip, which is under a second anywhere. */
export const INIT_CHANNEL_TIMEOUT_MS = 1_000;

/** How long a dialler waits for the other side to close the first data channel as well: a hundred times what it takes nearby. */
export const INIT_CLOSE_TIMEOUT_MS = 500;

/**
 * Receipts that one peer may show of a run, and their bytes: what a relay keeps of one provider (a quarter of 100,000 receipts and of
 * 64 MiB). Who shows more fills the memory of whoever asks, and none of it could be brought to the relay.
 */
export const MAX_SHOWN_STEPS = 25_000;
export const MAX_SHOWN_STEP_BYTES: number = 16 * 1024 * 1024;
