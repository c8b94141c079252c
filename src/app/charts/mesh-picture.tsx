import type { JSX } from "preact";
import type { LinkKind, MeshPeerView, MeshView } from "../../protocol/network-view.ts";
import { meshWords } from "../words/network-words.ts";
import { PICTURE, type Place, placesOf } from "./mesh-places.ts";

const RADIUS: Readonly<Record<MeshPeerView["does"], number>> = { relays: 15, computes: 9, asks: 6 };
/** With more peers than this they are drawn smaller. */
const MANY = 60;
const SMALL = 0.6;
/** Room above and below the outermost peers. */
const EDGE = 28;
const LEAST_WIDTH = 400;
/** Lines between peers pass the relay at this distance, or half of it. */
const BERTH = 70;

/** Links between peers are drawn over those with the relay. */
const ORDER: readonly LinkKind[] = ["websocket", "circuit", "webrtc"];

/** Lines between peers bend around the relay instead of running through it. */
function path(from: Place, to: Place, over: LinkKind): string {
  if (over === "websocket") return `M${at(from)}L${at(to)}`;
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  const [dx, dy] = [middle.x - PICTURE.width / 2, middle.y - PICTURE.height / 2];
  const distance = Math.hypot(dx, dy);
  const length = Math.max(Math.hypot(to.x - from.x, to.y - from.y), 1);
  // Away from the relay; a line through its very middle goes round it on one side.
  const [ax, ay] =
    distance > 1 ? [dx / distance, dy / distance] : [(from.y - to.y) / length, (to.x - from.x) / length];
  const push = Math.max(0, BERTH - distance);
  return `M${at(from)}Q${at({ x: middle.x + ax * push, y: middle.y + ay * push })} ${at(to)}`;
}

function at({ x, y }: Place): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

/** What the peers need, around the relay: a few of them do not stand in an empty hall. */
function boxOf(places: readonly Place[]): string {
  const reach = (half: number, of: (place: Place) => number): number =>
    Math.max(...places.map((place) => Math.abs(of(place) - half))) + EDGE;
  const middle = { x: PICTURE.width / 2, y: PICTURE.height / 2 };
  const width = Math.max(LEAST_WIDTH, 2 * reach(middle.x, ({ x }) => x));
  const ys = [middle.y, ...places.map(({ y }) => y)];
  const top = Math.min(...ys) - EDGE;
  const height = Math.max(...ys) + EDGE - top;
  return [middle.x - width / 2, top, width, height].map((edge) => edge.toFixed(1)).join(" ");
}

function classOf({ does, verified }: MeshPeerView): string {
  return does === "computes" && !verified ? "map-peer map-computes map-unproven" : `map-peer map-${does}`;
}

/** Who is connected with whom. All it shows is said in words below it. */
export function MeshPicture({ mesh }: { readonly mesh: MeshView }): JSX.Element {
  const places = placesOf(mesh);
  const scale = mesh.peers.length > MANY ? SMALL : 1;
  return (
    <figure class="map">
      <svg class="map-picture" viewBox={boxOf(places)} role="img" aria-label={meshWords(mesh)}>
        {ORDER.map((over) => (
          <path
            key={over}
            class={`map-link map-${over}`}
            d={mesh.links
              .filter((link) => link.over === over)
              .map(({ from, to }) => {
                const [start, end] = [places[from], places[to]];
                return start === undefined || end === undefined ? "" : path(start, end, over);
              })
              .join("")}
          />
        ))}
        {mesh.peers.map((peer, index) => {
          const place = places[index];
          return (
            place !== undefined && (
              <circle
                key={peer.name}
                class={classOf(peer)}
                cx={place.x}
                cy={place.y}
                r={RADIUS[peer.does] * (peer.does === "relays" ? 1 : scale)}
              />
            )
          );
        })}
      </svg>
      <figcaption>
        <ul class="map-legend">
          <Sign kind="relays" words="the relay" />
          <Sign kind="computes" words="computes, verified" />
          <Sign kind="computes map-unproven" words="offers to compute" />
          <Sign kind="asks" words="other peers" />
          <LineSign kind="webrtc" words="work, directly (WebRTC)" />
          <LineSign kind="circuit" words="work, through the relay" />
          <LineSign kind="websocket" words="in touch with the relay" />
        </ul>
      </figcaption>
    </figure>
  );
}

function Sign({ kind, words }: { readonly kind: string; readonly words: string }): JSX.Element {
  return (
    <li>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle class={`map-peer map-${kind}`} cx="8" cy="8" r="6" />
      </svg>
      {words}
    </li>
  );
}

function LineSign({ kind, words }: { readonly kind: LinkKind; readonly words: string }): JSX.Element {
  return (
    <li>
      <svg viewBox="0 0 24 16" width="24" height="16" aria-hidden="true">
        <path class={`map-link map-${kind}`} d="M1 8H23" />
      </svg>
      {words}
    </li>
  );
}
