import { lazy, Suspense } from 'react';
import type { TriageFlow } from './use-triage-flow.ts';

const IgnoreDialog = lazy(() => import('./ignore-dialog.tsx'));

export function TriageDialogs({ flow }: { flow: TriageFlow }) {
  const { dialog, confirm, dismiss } = flow;
  if (dialog === null) return null;
  return (
    <Suspense>
      <IgnoreDialog
        count={'all' in dialog ? dialog.all : dialog.findings.length}
        initialReason={dialog.reason}
        onIgnore={confirm}
        onClose={dismiss}
      />
    </Suspense>
  );
}
