import type { JSX } from "preact";
import type { ProviderState, RunningTask } from "../../provider/provider-state.ts";
import { useNow } from "../state/now.ts";
import { durationText } from "../words/durations.ts";
import { countText } from "../words/quantities.ts";
import { shortCid, shortPeer } from "../words/short-id.ts";

/** What strangers' functions do here right now, so that nothing runs unseen. */
export function RunningTasks({ provider }: { readonly provider: ProviderState }): JSX.Element {
  const { running } = provider;
  const now = useNow(running.length > 0);
  return (
    <section class="card" aria-labelledby="running-title">
      <h2 id="running-title">Running now</h2>
      {running.length === 0 ? (
        <p class="empty running-empty">{emptyWords(provider)}</p>
      ) : (
        <table class="tasks">
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col">Function</th>
              <th scope="col">For</th>
              <th scope="col" class="number">
                Since
              </th>
            </tr>
          </thead>
          <tbody>
            {running.map((task) => (
              <TaskRow key={`${task.lease}/${task.seq}`} task={task} nowMs={now.value} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function emptyWords({ phase }: ProviderState): string {
  if (phase === "waiting" || phase === "working")
    return "No task at this moment. Work comes as people ask for it.";
  return "Nothing. Tasks appear here while they run, each with its function and who asked for it.";
}

function TaskRow({ task, nowMs }: { readonly task: RunningTask; readonly nowMs: number }): JSX.Element {
  return (
    <tr>
      <th scope="row">{countText(task.seq)}</th>
      <td class="code" title={task.workCid}>
        {shortCid(task.workCid)}
      </td>
      <td class="code" title={task.requester}>
        {shortPeer(task.requester)}
      </td>
      <td class="number">{durationText(nowMs - task.since)}</td>
    </tr>
  );
}
