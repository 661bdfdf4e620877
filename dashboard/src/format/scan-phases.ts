import type { Scan, ScanPhase } from '../api/types.ts';

export type PhaseName = 'queued' | ScanPhase;
export type PhaseState = 'done' | 'active' | 'pending' | 'stopped' | 'unreached';
type PhaseFacts = Pick<Scan, 'status' | 'phase' | 'queuedAt' | 'startedAt' | 'finishedAt' | 'cloneMs'>;

const ORDER: readonly PhaseName[] = ['queued', 'cloning', 'scanning', 'storing'];

/** The phases of a scan in order, each with its state and, where known, its duration. */
export function scanPhases(
  scan: PhaseFacts,
  nowMs: number,
): { name: PhaseName; state: PhaseState; ms: number | null }[] {
  const { status, phase, finishedAt } = scan;
  const current =
    status === 'queued'
      ? 0
      : finishedAt !== null
        ? ORDER.length
        : Math.max(1, ORDER.indexOf(phase ?? 'cloning'));
  const durations = phaseDurations(scan, current, nowMs);
  const stoppedEarly = finishedAt !== null && status !== 'succeeded';
  return ORDER.map((name, index) => {
    if (stoppedEarly && !wasReached(name, scan)) return { name, state: 'unreached', ms: null };
    const next = ORDER[index + 1];
    if (stoppedEarly && (next === undefined || !wasReached(next, scan)))
      return { name, state: 'stopped', ms: durations[name] };
    const state = index < current ? 'done' : index === current ? 'active' : 'pending';
    return { name, state, ms: state === 'pending' ? null : durations[name] };
  });
}

function phaseDurations(
  { queuedAt, startedAt, finishedAt, cloneMs }: PhaseFacts,
  current: number,
  nowMs: number,
): Record<PhaseName, number | null> {
  const startMs = startedAt === null ? null : Date.parse(startedAt);
  const endMs = finishedAt === null ? nowMs : Date.parse(finishedAt);
  return {
    queued: Math.max(0, (startMs ?? endMs) - Date.parse(queuedAt)),
    cloning: cloneMs ?? (startMs !== null && current === 1 ? Math.max(0, endMs - startMs) : null),
    scanning:
      startMs !== null && cloneMs !== null && current >= 2 ? Math.max(0, endMs - startMs - cloneMs) : null,
    storing: null,
  };
}

function wasReached(name: PhaseName, { startedAt, cloneMs }: Pick<PhaseFacts, 'startedAt' | 'cloneMs'>) {
  if (name === 'queued') return true;
  if (name === 'cloning') return startedAt !== null;
  return name === 'scanning' && cloneMs !== null;
}
