import { lazy, Suspense } from 'react';
import type { TriageFlow } from './use-triage-flow.ts';

const IgnoreDialog = lazy(() => import('./ignore-dialog.tsx'));

export function TriageDialogs({ flow }: { flow: TriageFlow }) {
  const { asked, answer, dismiss } = flow;
  if (asked === null) return null;
  return (
    <Suspense>
      <IgnoreDialog
        many={'all' in asked ? asked.all : asked.findings.length}
        given={asked.reason}
        onIgnore={answer}
        onClose={dismiss}
      />
    </Suspense>
  );
}
