import { useEffect, useState } from 'react';
import { Problem } from '../../api/problem.ts';

/** State of a form: the last error, whether a request runs, and the seconds until the next attempt is allowed. */
export function useAttempts() {
  const [error, setError] = useState<unknown>(null);
  const [isRunning, setRunning] = useState(false);
  const [waitSeconds, setWaitSeconds] = useState(0);
  const isWaiting = waitSeconds > 0;
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => setWaitSeconds((seconds) => Math.max(0, seconds - 1)), 1_000);
    return () => clearInterval(timer);
  }, [isWaiting]);
  const run = async (work: () => Promise<void>) => {
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
  return { error, isRunning, waitSeconds, run };
}
