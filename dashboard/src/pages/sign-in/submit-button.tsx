import { Button } from '@mantine/core';
import type { useAttempts } from './use-attempts.ts';

/** Sends the form; while the server wants us to wait it says for how long. */
export function SubmitButton({ tries, act }: { tries: ReturnType<typeof useAttempts>; act: string }) {
  return (
    <Button
      type="submit"
      size="sm"
      fullWidth
      mt="lg"
      loading={tries.running}
      disabled={tries.waitSeconds > 0}
    >
      {tries.waitSeconds > 0 ? `Next try in ${tries.waitSeconds} s` : act}
    </Button>
  );
}
