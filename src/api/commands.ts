import type { OutboxEntry } from '../db/stores/outbox.ts';
import { sendWakes } from '../db/wakes.ts';
import type { ApiDeps } from './deps.ts';
import { lookUntil } from './look-until.ts';

/**
 * Waits for the result of a command's row, at most `timeoutMs`.
 * @returns `null` when it is not there by then: the command goes on
 */
export async function awaitCommand(input: {
  database: ApiDeps['database'];
  commandId: string;
  timeoutMs: number;
}): Promise<Record<string, unknown> | null> {
  const command = await lookUntil({
    read: () => input.database.stores.commands.find(input.commandId),
    isDone: (row) => row === null || row.state === 'done',
    timeoutMs: input.timeoutMs,
  });
  return command?.state === 'done' ? (command.result ?? null) : null;
}

/**
 * Sends what a committed transaction owes to Temporal. What was answered is stored by then, so that no failure here is
 * the caller's: the dispatcher tries again.
 */
export async function wake(deps: ApiDeps, entries: readonly OutboxEntry[]): Promise<{ sent: number }> {
  try {
    return await sendWakes(deps, entries);
  } catch (err) {
    deps.log.error({ err }, 'a workflow could not be woken; the dispatcher tries again');
    return { sent: 0 };
  }
}
