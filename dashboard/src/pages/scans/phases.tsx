import { PHASE_TEXTS } from '../../format/scan-labels.ts';
import type { PhaseName, PhaseState } from '../../format/scan-phases.ts';
import { scanPhases } from '../../format/scan-phases.ts';
import { formatBytes, formatDuration, formatUtc, useNow } from '../../format/time.ts';
import type { Scan } from './scan-data.ts';
import classes from './scans.module.css';

const NAMES: Record<PhaseName, string> = { queued: 'Queued', ...PHASE_TEXTS };
const STATES: Record<PhaseState, string> = {
  done: 'done',
  active: 'in progress',
  pending: 'pending',
  stopped: 'stopped here',
  unreached: 'not reached',
};

/** The phases of a scan with their durations. The remaining time is unknown, so there is no progress bar. */
export function Phases({ scan }: { scan: Scan }) {
  const nowMs = useNow({ seconds: scan.finishedAt === null });
  return (
    <ol className={classes['phases']} aria-label="Phases">
      {scanPhases(scan, nowMs).map(({ name, state, ms }) => (
        <li
          key={name}
          className={classes['phase']}
          data-state={state}
          aria-current={state === 'active' ? 'step' : undefined}
        >
          <span className={classes['name']}>{NAMES[name]}</span>
          <span className={classes['detail']}>
            {STATES[state]}
            {ms !== null && `, ${formatDuration(ms)}`}
            {name === 'queued' && `, since ${formatUtc(scan.queuedAt)}`}
            {name === 'cloning' && scan.cloneBytes !== null && `, ${formatBytes(scan.cloneBytes)}`}
          </span>
        </li>
      ))}
    </ol>
  );
}
