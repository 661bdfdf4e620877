import { Button } from '@mantine/core';
import type { useAttempts } from './use-attempts.ts';

/** Submits the form; while attempts are throttled it shows the remaining seconds. */
export function SubmitButton({
  attempts,
  action,
}: {
  attempts: ReturnType<typeof useAttempts>;
  action: string;
}) {
  return (
    <Button
      type="submit"
      size="sm"
      fullWidth
      mt="lg"
      loading={attempts.isRunning}
      disabled={attempts.waitSeconds > 0}
    >
      {attempts.waitSeconds > 0 ? `Try again in ${attempts.waitSeconds} s` : action}
    </Button>
  );
}
