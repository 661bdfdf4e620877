import { scanPhases } from '../../format/scan-labels.ts';
import { formatBytes, formatDuration, formatUtc, useNow } from '../../format/time.ts';
import type { Scan } from './scan-data.ts';
import classes from './scans.module.css';

const TEXTS: Record<string, string> = {
  queued: 'Queued',
  cloning: 'Cloning',
  scanning: 'Scanning',
  storing: 'Storing',
};
const STATES = {
  done: 'done',
  now: 'now',
  ahead: 'to come',
  stopped: 'ended here',
  unreached: 'not reached',
} as const;

/** The steps, with the time that each took or takes. There is no telling how much is left, so nothing says so. */
export function Phases({ scan }: { scan: Scan }) {
  const nowMs = useNow({ seconds: scan.finishedAt === null });
  return (
    <ol className={classes['phases']} aria-label="Phases">
      {scanPhases(scan, nowMs).map(({ name, state, ms }) => (
        <li
          key={name}
          className={classes['phase']}
          data-state={state}
          aria-current={state === 'now' ? 'step' : undefined}
        >
          <span className={classes['name']}>{TEXTS[name]}</span>
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
