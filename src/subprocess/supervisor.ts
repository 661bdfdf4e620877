import { fileURLToPath } from 'node:url';

/** Starts every git and scanner program; the script documents what it guarantees. */
export const SUPERVISOR = fileURLToPath(new URL('supervise.sh', import.meta.url));

const BLOCK_BYTES = 512;
const KIB = 1024;

/**
 * The limits that the kernel enforces on a program and each of its children. A core file is never written.
 */
export interface ProcessLimits {
  /** Address space of one process. */
  maxMemoryBytes: number;
  /** Processor time of one process. */
  maxCpuSeconds: number;
  /** Size of each file that it writes. */
  maxFileBytes: number;
}

/**
 * Stops fork bombs. The kernel counts all processes and threads of the user, so the limit leaves room for Secu.
 */
export const MAX_PROCESSES = 4_096;

/** The part of the environment that `supervise.sh` reads and removes. */
export function supervisorEnvironment(input: {
  lifeline: 'stdin' | '3';
  limits: ProcessLimits;
  /** Whether descriptor 4 of the script is a file with mounts. */
  hasMounts: boolean;
}): Record<string, string> {
  const { lifeline, limits, hasMounts } = input;
  return {
    ...(hasMounts ? { SECU_MOUNTS: '1' } : {}),
    SECU_LIFELINE: lifeline,
    SECU_MAX_FILE_BLOCKS: String(Math.ceil(limits.maxFileBytes / BLOCK_BYTES)),
    SECU_MAX_MEMORY_KIB: String(Math.ceil(limits.maxMemoryBytes / KIB)),
    SECU_MAX_CPU_SECONDS: String(limits.maxCpuSeconds),
    SECU_MAX_PROCESSES: String(MAX_PROCESSES),
  };
}
