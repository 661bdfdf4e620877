import { useSyncExternalStore } from 'react';
import { serverClock } from '../api/server-clock.ts';

const MINUTE_TICK_MS = 30_000;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** `4 minutes ago`, `in 3 days`; `just now` below 30 seconds. */
export function formatRelative(iso: string, nowMs: number): string {
  const seconds = Math.round((Date.parse(iso) - nowMs) / 1_000);
  if (Math.abs(seconds) < 30) return 'just now';
  for (const [unit, size] of UNITS)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return relative.format(seconds, 'second');
}

/** `2026-11-23 09:14:03 UTC`. */
export function formatUtc(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `09:14 UTC`. */
export function formatUtcTime(iso: string): string {
  return `${new Date(iso).toISOString().slice(11, 16)} UTC`;
}

/** `340 ms`, `3.1 s`, `2 min 5 s`, `1 h 2 min`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** `12.4 MB`. */
export function formatBytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log10(n) / 3));
  const value = n / 1_000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** A ticker that all components share. */
function createTicker(everyMs: number) {
  const listeners = new Set<() => void>();
  let nowMs = serverClock.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      nowMs = serverClock.now();
      timer ??= setInterval(() => {
        nowMs = serverClock.now();
        for (const listen of listeners) listen();
      }, everyMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    read: () => nowMs,
  };
}

const slowTicker = createTicker(MINUTE_TICK_MS);
const fastTicker = createTicker(1_000);

/** The server's time in milliseconds; updated every 30 s, or every second with `seconds`. */
export function useNow({ seconds = false } = {}): number {
  const ticker = seconds ? fastTicker : slowTicker;
  return useSyncExternalStore(ticker.subscribe, ticker.read);
}
