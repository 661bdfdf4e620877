import { SCAN_CAUSES } from '../../domain/causes.ts';
import {
  INCOMPLETE_REASONS,
  SCAN_HISTORIES,
  SCAN_OUTCOMES,
  SCAN_PHASES,
  SCAN_STATUSES,
  SCAN_TRIGGERS,
  SCANNER_STATUSES,
  SKIP_REASONS,
} from '../../domain/scan.ts';
import { z } from '../shared.ts';

const when = z.iso.datetime();

export const ScanSchema = z
  .object({
    id: z.string(),
    repositoryId: z.string(),
    trigger: z.enum(SCAN_TRIGGERS),
    status: z.enum(SCAN_STATUSES),
    phase: z.enum(SCAN_PHASES).nullable(),
    outcome: z.enum(SCAN_OUTCOMES).nullable(),
    history: z.enum(SCAN_HISTORIES),
    cause: z.enum(SCAN_CAUSES).nullable(),
    advice: z.string().nullable().openapi({ description: 'What to do about the cause' }),
    commit: z.string().nullable(),
    attempt: z.int(),
    queuedAt: when,
    startedAt: when.nullable(),
    finishedAt: when.nullable(),
    cloneBytes: z.int().nullable(),
    cloneMs: z.int().nullable(),
    refs: z.array(z.object({ name: z.string(), from: z.string().nullable(), to: z.string() })),
    incompleteBecause: z.array(z.enum(INCOMPLETE_REASONS)),
    scanners: z.array(
      z.object({
        name: z.string(),
        version: z.string().nullable(),
        rules: z.string().nullable(),
        status: z.enum(SCANNER_STATUSES),
        cause: z.enum(SCAN_CAUSES).nullable(),
        findings: z.int(),
        filesScanned: z.int(),
        filesSkipped: z.array(z.object({ reason: z.enum(SKIP_REASONS), count: z.int() })),
        durationMs: z.int(),
      }),
    ),
  })
  .openapi('Scan');
