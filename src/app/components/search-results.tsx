import type { JSX } from "preact";
import type { LeaseSummary } from "../../sdk/index.ts";
import type { Found } from "../state/search.ts";
import { countText, counted } from "../words/quantities.ts";
import { shortPeer } from "../words/short-id.ts";
import { Amount } from "./amount.tsx";

export interface SearchResultsProps {
  readonly found: Found;
  readonly testMoney: boolean;
}

/** Lines, most alike first, and who computed it for how much. */
export function SearchResults({ found, testMoney }: SearchResultsProps): JSX.Element {
  const { question, ranked, made } = found;
  return (
    <section class="card found" aria-labelledby="found-title">
      <h2 id="found-title" tabIndex={-1}>
        Closest to “{question.query}”
      </h2>
      <ol class="ranking">
        {ranked.map(({ index, score }) => (
          <li key={index} class="ranked">
            <p class="ranked-text">{question.lines[index]}</p>
            <p class="ranked-score">
              <span class="ranked-bar" aria-hidden="true">
                <span style={{ width: `${Math.max(0, Math.min(1, score)) * 100}%` }} />
              </span>
              <span class="aside">likeness </span>
              {score.toFixed(3)}
            </p>
          </li>
        ))}
      </ol>
      <Evidence
        found={found}
        testMoney={testMoney}
        tokens={made.tokens.reduce((sum, count) => sum + count, 0)}
      />
    </section>
  );
}

interface EvidenceProps extends SearchResultsProps {
  readonly tokens: number;
}

function Evidence({ found: { made }, testMoney, tokens }: EvidenceProps): JSX.Element {
  const { summary, vectors, providers } = made;
  const leases = summary.leases.filter(({ tasks }) => tasks > 0);
  return (
    <div class="found-evidence">
      <dl class="facts">
        <div>
          <dt>Computed by</dt>
          <dd>
            {[...new Set(providers)].map((peer) => (
              <span key={peer} class="code" title={peer}>
                {shortPeer(peer)}
              </span>
            ))}
          </dd>
        </div>
        <div>
          <dt>Work</dt>
          <dd>
            {counted(vectors.length, "text")}, {counted(tokens, "token")}
            {summary.reassigned > 0 && `, ${countText(summary.reassigned)} given to another tab`}
          </dd>
        </div>
        <div>
          <dt>Cost</dt>
          <dd>
            <Amount value={summary.spent} testMoney={testMoney} withUnit />
          </dd>
        </div>
      </dl>
      <ul class="proofs">
        {leases.map((lease) => (
          <li key={lease.lease}>
            <ReceiptNote lease={lease} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ReceiptNote({ lease }: { readonly lease: LeaseSummary }): JSX.Element {
  const { receiptVerified, inclusionVerified, entryIndex, provider, failure } = lease;
  const holds = receiptVerified && inclusionVerified;
  return (
    <>
      <span class={holds ? "chip chip-good" : "chip"}>{holds ? "Receipt verified" : "Receipt pending"}</span>{" "}
      {holds
        ? `${shortPeer(provider)} and this page signed it, and the relay proved that it is entry ${entryIndex ?? "?"} of its log.`
        : `${shortPeer(provider)}: ${failure?.detail ?? "the relay has not proved yet that it logged it"}.`}
    </>
  );
}
