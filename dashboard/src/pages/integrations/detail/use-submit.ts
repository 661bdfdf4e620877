import type { FormEvent } from 'react';
import { useState } from 'react';

/** One form, one request: not twice at once, and what went wrong is kept to be shown in place. */
export function useSubmit(run: (form: HTMLFormElement) => Promise<void>) {
  const [error, setError] = useState<unknown>(null);
  const [isRunning, setRunning] = useState(false);
  const start = async (form: HTMLFormElement) => {
    if (isRunning) return;
    setRunning(true);
    setError(null);
    try {
      await run(form);
    } catch (err) {
      setError(err);
    } finally {
      setRunning(false);
    }
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void start(event.currentTarget);
  };
  return { submit, isRunning, error };
}
