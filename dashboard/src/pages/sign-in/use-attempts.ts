import { useEffect, useState } from 'react';
import { Problem } from '../../api/problem.ts';

/** What a form needs: the last error, whether it runs, and how many seconds the server wants us to wait. */
export function useAttempts() {
  const [error, setError] = useState<unknown>(null);
  const [running, setRunning] = useState(false);
  const [waitSeconds, setWaitSeconds] = useState(0);
  const waits = waitSeconds > 0;
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(() => setWaitSeconds((seconds) => Math.max(0, seconds - 1)), 1_000);
    return () => clearInterval(timer);
  }, [waits]);
  const attempt = async (work: () => Promise<void>) => {
    setRunning(true);
    setError(null);
    try {
      await work();
    } catch (err) {
      setError(err);
      const retryAfter = err instanceof Problem ? err.details['retryAfter'] : undefined;
      if (typeof retryAfter === 'number') setWaitSeconds(retryAfter);
    } finally {
      setRunning(false);
    }
  };
  return { error, running, waitSeconds, attempt };
}
