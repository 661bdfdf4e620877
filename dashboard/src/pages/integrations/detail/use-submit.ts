import type { FormEvent } from 'react';
import { useState } from 'react';

/** Submits a form, one request at a time, and keeps the error so that the form can show it. */
export function useSubmit(run: (form: HTMLFormElement) => Promise<void>) {
  const [error, setError] = useState<unknown>(null);
  const [isRunning, setRunning] = useState(false);
  const runOnce = async (form: HTMLFormElement) => {
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
    void runOnce(event.currentTarget);
  };
  return { submit, isRunning, error };
}
