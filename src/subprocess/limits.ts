import type { ProcessLimits } from './supervisor.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** Longer than any scan or clone may take by the clock; it ends a program that the deadline did not end. */
const MAX_CPU_SECONDS = 3_600;

/** 512 MiB can index four million objects; a delta that expands to more is refused with `clone_too_large`. */
export const MIN_GIT_REMOTE_MEMORY_BYTES = 512 * MIB;
/** With the default of `SECU_CLONE_MAX_BYTES`, 2 GiB, this is 512 MiB. */
const CLONE_BYTES_PER_MEMORY_BYTE = 4;

/**
 * For git that talks to GitLab. `maxFileBytes` comes from the setting `SECU_CLONE_MAX_BYTES`, which raises both limits,
 * as the advice of `clone_too_large` says.
 */
export function gitRemoteLimits(maxFileBytes: number): ProcessLimits {
  return {
    maxMemoryBytes: Math.max(
      MIN_GIT_REMOTE_MEMORY_BYTES,
      Math.ceil(maxFileBytes / CLONE_BYTES_PER_MEMORY_BYTE),
    ),
    maxCpuSeconds: MAX_CPU_SECONDS,
    maxFileBytes,
  };
}

/** For git that reads a clone. It maps packs into its address space; the clone limit bounds their size. */
export const GIT_LOCAL_LIMITS: ProcessLimits = {
  maxMemoryBytes: 4 * GIB,
  maxCpuSeconds: MAX_CPU_SECONDS,
  maxFileBytes: 4 * GIB,
};

/** Go and Node reserve 1 to 2 GiB of address space at start, and use a few dozen MiB of it (measured). */
export const SCANNER_LIMITS: ProcessLimits = {
  maxMemoryBytes: 4 * GIB,
  maxCpuSeconds: MAX_CPU_SECONDS,
  maxFileBytes: 64 * MIB,
};
