/** libp2p protocol ids. Each carries the wire version, so that a later one can be offered beside it. */
export const WORK_PROTOCOL = "/tabmesh/work/1";
export const BLOB_PROTOCOL = "/tabmesh/blob/1";
export const OFFER_PROTOCOL = "/tabmesh/offer/1";
/** On which a requester hears that a provider of its leases has fallen silent. */
export const WATCH_PROTOCOL = "/tabmesh/watch/1";
/** Returns every byte it is sent: the reference that the benches divide by. */
export const ECHO_PROTOCOL = "/tabmesh/echo/1";
/** On which peers of one run exchange the receipts that the other has not seen. */
export const RUN_PROTOCOL = "/tabmesh/run/1";
