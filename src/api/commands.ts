import type { OutboxEntry } from '../db/stores/outbox.ts';
import { sendWakes } from '../db/wakes.ts';
import type { ApiDeps } from './deps.ts';

const LOOK_EVERY_MS = 100;

/**
 * Waits for the result of a command's row, at most `timeoutMs`.
 * @returns `null` when it is not there by then: the command goes on
 */
export async function awaitCommand(input: {
  database: ApiDeps['database'];
  commandId: string;
  timeoutMs: number;
}): Promise<Record<string, unknown> | null> {
  const untilMs = performance.now() + input.timeoutMs;
  for (;;) {
    const command = await input.database.stores.commands.find(input.commandId);
    if (command === null || command.state === 'done') return command?.result ?? null;
    if (performance.now() >= untilMs) return null;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
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
