import type { RefObject } from 'react';
import { useEffect, useMemo, useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { serverClock } from '../../../api/server-clock.ts';
import { formField } from '../../../parts/form-field.ts';
import { createTestScheduler } from './test-scheduler.ts';
import type { TokenFault } from './token-format.ts';
import { findTokenFault } from './token-format.ts';

export type DryRun = Awaited<ReturnType<typeof testToken>>;

/** State of the test; never the token itself. */
export type DryRunState =
  | { phase: 'idle' }
  | { phase: 'changed' }
  | { phase: 'running' }
  | { phase: 'fault'; fault: TokenFault }
  | { phase: 'failed'; error: unknown }
  | { phase: 'done'; run: DryRun; testedAt: string };

function testToken(form: HTMLFormElement, signal: AbortSignal) {
  const json = {
    provider: 'gitlab' as const,
    type: 'git' as const,
    token: formField(form, 'token'),
    baseUrl: formField(form, 'baseUrl'),
    ...(formField(form, 'rotates') === 'on' && { autoRotate: { enabled: true } }),
  };
  return request(api.integrations.test.$post({ json }, { init: { signal } }));
}

/** Tests the token of a form while the user fills it in. The token is read from its field only for the request. */
export function useDryRun(form: RefObject<HTMLFormElement | null>) {
  const [state, setState] = useState<DryRunState>({ phase: 'idle' });
  const scheduler = useMemo(
    () =>
      createTestScheduler({
        nowMs: () => performance.now(),
        checkLocally() {
          const token = form.current === null ? '' : formField(form.current, 'token').trim();
          const fault = token === '' ? null : findTokenFault(token);
          if (fault !== null) setState({ phase: 'fault', fault });
          else if (token === '') setState({ phase: 'idle' });
          return token === '' || fault !== null;
        },
        run(signal) {
          if (form.current === null) return;
          setState({ phase: 'running' });
          testToken(form.current, signal)
            .then((run) => {
              const testedAt = new Date(serverClock.now()).toISOString();
              if (!signal.aborted) setState({ phase: 'done', run, testedAt });
            })
            .catch((error: unknown) => {
              if (!signal.aborted) setState({ phase: 'failed', error });
            });
        },
      }),
    [form],
  );
  useEffect(() => () => scheduler.stop(), [scheduler]);
  const markChanged = () => setState((state) => (state.phase === 'idle' ? state : { phase: 'changed' }));
  return {
    state,
    left: scheduler.left,
    again: scheduler.again,
    typed: () => {
      markChanged();
      scheduler.typed();
    },
    pasted: () => {
      markChanged();
      scheduler.pasted();
    },
  };
}
