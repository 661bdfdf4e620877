import { fileURLToPath } from 'node:url';

/** Starts every program of git and the scanners; see the script for what it promises. */
export const SUPERVISOR = fileURLToPath(new URL('supervise.sh', import.meta.url));

const BLOCK_BYTES = 512;
const KIB = 1024;

/** What the kernel holds a program and each of its children to. A core file is never written. */
export interface ProcessLimits {
  /** Address space of one process. */
  maxMemoryBytes: number;
  /** Processor time of one process. */
  maxCpuSeconds: number;
  /** Of each file that it writes. */
  maxFileBytes: number;
}

/** A fork bomb ends here. The kernel counts every process and thread of the user, so the figure leaves room for Secu. */
export const MAX_PROCESSES = 4_096;

/** The part of the environment that `supervise.sh` reads and removes. */
export function supervisorEnvironment(input: {
  lifeline: 'stdin' | '3';
  limits: ProcessLimits;
}): Record<string, string> {
  const { lifeline, limits } = input;
  return {
    SECU_LIFELINE: lifeline,
    SECU_MAX_FILE_BLOCKS: String(Math.ceil(limits.maxFileBytes / BLOCK_BYTES)),
    SECU_MAX_MEMORY_KIB: String(Math.ceil(limits.maxMemoryBytes / KIB)),
    SECU_MAX_CPU_SECONDS: String(limits.maxCpuSeconds),
    SECU_MAX_PROCESSES: String(MAX_PROCESSES),
  };
}
