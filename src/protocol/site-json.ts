import { PPM } from "./audit-policy.ts";
import { jsonBytes } from "./json-bytes.ts";
import {
  jsonAmount,
  jsonCid,
  jsonList,
  jsonOneOf,
  jsonPeer,
  jsonRecord,
  type JsonShape,
  jsonText,
  jsonU64,
  jsonUint,
  optionalJson,
} from "./json-shape.ts";
import { MAX_SITE_DAYS, MAX_SITES_PER_ACCOUNT } from "./limits.ts";
import { SITE_STATES } from "./messages/site.ts";
import { isSiteId, MAX_SITE_ORIGIN_BYTES, type SiteId } from "./site.ts";
import type { AssignmentView, SiteContributions, SiteDay, SiteView, TransferView } from "./site-views.ts";
import { WireError } from "./wire-error.ts";

/** Views of sites, assignments and transfers as JSON. */

/** Transfers in one page of a list. */
export const MAX_TRANSFERS_PER_PAGE = 200;
/** A registration has some 400 bytes. */
const MAX_SITE_ENVELOPE_BYTES = 3_072;

const jsonSiteId: JsonShape<SiteId> = {
  write: (value) => value,
  read(value, at = "") {
    if (isSiteId(value)) return value;
    throw new WireError(`${at} is not a site id`);
  },
};

export const siteViewJson: JsonShape<SiteView> = jsonRecord<SiteView>({
  site: jsonSiteId,
  owner: jsonPeer,
  page: jsonText(MAX_SITE_ORIGIN_BYTES),
  share: jsonUint(PPM),
  state: jsonOneOf(SITE_STATES),
  at: jsonUint(),
  envelope: jsonBytes(MAX_SITE_ENVELOPE_BYTES),
});

const siteDayJson: JsonShape<SiteDay> = jsonRecord<SiteDay>({
  start: jsonUint(),
  tabs: jsonUint(),
  tasks: jsonUint(),
  fuel: jsonU64,
  earned: jsonAmount,
  toOwner: jsonAmount,
  toVisitors: jsonAmount,
});

export const siteContributionsJson: JsonShape<readonly SiteContributions[]> = jsonList(
  jsonRecord<SiteContributions>({ site: siteViewJson, days: jsonList(siteDayJson, MAX_SITE_DAYS) }),
  MAX_SITES_PER_ACCOUNT,
);

export const assignmentViewJson: JsonShape<AssignmentView> = jsonRecord<AssignmentView>({
  account: jsonPeer,
  assignment: jsonCid,
  payee: jsonPeer,
  ppm: jsonUint(PPM),
  site: optionalJson(jsonSiteId),
  retireAfterMs: optionalJson(jsonUint()),
  at: jsonUint(),
  since: jsonUint(),
  entryIndex: jsonUint(),
  earned: jsonAmount,
  passed: jsonAmount,
});

export const transferViewsJson: JsonShape<readonly TransferView[]> = jsonList(
  jsonRecord<TransferView>({
    entryIndex: jsonUint(),
    time: jsonUint(),
    from: jsonPeer,
    to: jsonPeer,
    amount: jsonAmount,
    cause: jsonUint(),
    site: optionalJson(jsonSiteId),
  }),
  MAX_TRANSFERS_PER_PAGE,
);
