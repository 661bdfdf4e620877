// Plain JavaScript without dependencies: the launcher uses it before anything is installed.
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * The start time of a process in clock ticks since boot, or null if there is no such process. A PID can be reused, but
 * not together with the same start time.
 * @param {number} pid
 * @returns {string | null}
 * @see proc_pid_stat(5): field 22; the command name in field 2 may hold spaces and parentheses
 */
export function readProcessStart(pid) {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended: it only waits for its parent to read its exit code.
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

/** @typedef {{ pid: number, start: string }} LockHolder */

/**
 * Takes the lock, or returns its holder. Takes over a lock whose holder has ended.
 * @param {string} file
 * @returns {{ holder: null, release: () => void } | { holder: LockHolder, release: null }}
 */
export function tryLock(file) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${process.pid} ${readProcessStart(process.pid)}\n`;
  // The lock appears with its content (link is atomic), so a reader never sees an empty one.
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, mine, { mode: 0o600 });
  try {
    for (;;) {
      try {
        linkSync(draft, file);
        return { holder: null, release: () => releaseLock(file, mine) };
      } catch (err) {
        if (!hasCode(err, 'EEXIST')) throw err;
      }
      const text = readIfThere(file);
      if (text === null) continue;
      const holder = livingHolder(text);
      if (holder !== null) return { holder, release: null };
      removeStale(file, text);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Returns the current holder of the lock, without changing it.
 * @param {string} file @returns {LockHolder | null}
 */
export function lockHolder(file) {
  const text = readIfThere(file);
  return text === null ? null : livingHolder(text);
}

/**
 * Runs `work` while holding the lock; first waits for another holder to finish.
 * @template T
 * @param {{ file: string, onWait?: (holder: LockHolder) => void }} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock({ file, onWait }, work) {
  let told = false;
  for (;;) {
    const { holder, release } = tryLock(file);
    if (release !== null) {
      try {
        return await work();
      } finally {
        release();
      }
    }
    if (!told) onWait?.(holder);
    told = true;
    await delay(200);
  }
}

/** @param {string} file @param {string} mine */
function releaseLock(file, mine) {
  if (readIfThere(file) === mine) rmSync(file, { force: true });
}

/** @param {string} text @returns {LockHolder | null} */
function livingHolder(text) {
  const [pidText = '', start = ''] = text.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return readProcessStart(pid) === start ? { pid, start } : null;
}

/**
 * If several processes see a stale lock, only one wins the rename. If the winner moved a new lock by mistake, it puts
 * the new lock back.
 * @param {string} file @param {string} staleText
 */
function removeStale(file, staleText) {
  const aside = `${file}.stale.${process.pid}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(file, aside);
    if (readFileSync(aside, 'utf8') !== staleText) linkSync(aside, file);
  } catch (err) {
    if (!hasCode(err, 'ENOENT') && !hasCode(err, 'EEXIST')) throw err;
  } finally {
    rmSync(aside, { force: true });
  }
}

/** @param {string} file @returns {string | null} */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (err) {
    // ESRCH: the process ended between open and read.
    if (hasCode(err, 'ENOENT') || hasCode(err, 'ESRCH')) return null;
    throw err;
  }
}

/**
 * Does not use `instanceof Error`: under jest, errors of node's own modules belong to another realm.
 * @param {unknown} err @param {string} code
 */
export function hasCode(err, code) {
  return typeof err === 'object' && err !== null && 'code' in err && err.code === code;
}
