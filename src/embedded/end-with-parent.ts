/**
 * Called in the main program of a child process. When the parent has ended, `shutdown` runs, and after `graceMs`
 * the process exits in any case. The IPC channel does not keep the process alive. Does nothing in a process that
 * Secu did not start.
 */
export function endWithParent({
  shutdown,
  graceMs,
}: {
  shutdown: () => Promise<void>;
  graceMs: number;
}): void {
  if (process.send === undefined) return;
  const end = () => {
    setTimeout(() => process.exit(1), graceMs).unref();
    shutdown().then(
      () => process.exit(0),
      (err: unknown) => {
        process.stderr.write(`secu: shutdown failed: ${String(err)}\n`);
        process.exit(1);
      },
    );
  };
  process.once('disconnect', end);
  process.channel?.unref();
  if (!process.connected) end();
}
