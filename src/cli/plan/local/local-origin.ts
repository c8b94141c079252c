/** A run on this machine names no relay: its receipts count nowhere but here. */
export const LOCAL_ORIGIN = "localhost";
