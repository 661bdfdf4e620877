import { SCAN_CAUSES } from '../../domain/causes.ts';
import { HISTORY_GAPS, HISTORY_STATES } from '../../domain/history.ts';
import { EXCLUSIONS, REPOSITORY_STATES } from '../../domain/repository.ts';
import { SCAN_OUTCOMES, SCAN_STATUSES } from '../../domain/scan.ts';
import { z } from '../shared.ts';

const when = z.iso.datetime();

export const RepositorySchema = z
  .object({
    id: z.string(),
    integrationId: z.string(),
    gitlabProjectId: z.int(),
    fullPath: z.string(),
    webUrl: z.string(),
    defaultBranch: z.string().nullable(),
    visibility: z.string(),
    state: z.enum(REPOSITORY_STATES),
    excludedBecause: z.enum(EXCLUSIONS).nullable(),
    lastActivityAt: when.nullable(),
    lastScan: z
      .object({
        id: z.string(),
        status: z.enum(SCAN_STATUSES),
        outcome: z.enum(SCAN_OUTCOMES).nullable(),
        commit: z.string().nullable(),
        finishedAt: when.nullable(),
        cause: z.enum(SCAN_CAUSES).nullable(),
        missingScanners: z.array(z.string()),
      })
      .nullable(),
    history: z
      .object({
        state: z.enum(HISTORY_STATES),
        cause: z.enum([...SCAN_CAUSES, ...HISTORY_GAPS]).nullable(),
        readAt: when.nullable(),
        refs: z.array(z.object({ name: z.string(), commit: z.string(), scannedAt: when })),
      })
      .openapi({
        description: 'How far the history was searched for secrets: the branches, up to these commits',
      }),
    counts: z.object({ open: z.int(), critical: z.int(), high: z.int(), medium: z.int(), low: z.int() }),
  })
  .openapi('Repository');
