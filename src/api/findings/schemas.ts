import { FINDING_KINDS, FINDING_STATUSES, SEVERITIES, TRIAGE_REASONS } from '../../domain/finding.ts';
import { commaList, commaListOf, z } from '../shared.ts';

const when = z.iso.datetime();

/** Filters shared by the list, the counts and bulk triage. */
export const findingFilter = {
  integrationId: commaList,
  repositoryId: commaList,
  status: commaListOf(FINDING_STATUSES),
  severity: commaListOf(SEVERITIES),
  kind: commaListOf(FINDING_KINDS),
  atHead: z.stringbool().optional(),
  q: z.string().max(200).optional(),
};

export const FindingSchema = z
  .object({
    id: z.string(),
    repositoryId: z.string(),
    repositoryPath: z.string(),
    kind: z.enum(FINDING_KINDS),
    scanner: z.string(),
    ruleId: z.string(),
    title: z.string(),
    severity: z.enum(SEVERITIES),
    cwe: z.array(z.string()),
    path: z.string(),
    startLine: z.int(),
    endLine: z.int(),
    commit: z.string().openapi({ description: 'The commit that introduced it, once the history was read' }),
    author: z.string().nullable(),
    committedAt: when.nullable(),
    excerpt: z.string(),
    permalink: z.string(),
    fingerprint: z.string(),
    status: z.enum(FINDING_STATUSES),
    atHead: z.boolean().openapi({ description: 'Whether it is in the newest commit of the default branch' }),
    headChangedAt: when.nullable().openapi({ description: 'Since when it is at the head, or no longer' }),
    triage: z
      .object({
        reason: z.enum(TRIAGE_REASONS),
        comment: z.string().nullable(),
        by: z.string(),
        at: when,
        until: z.iso.date().nullable(),
      })
      .nullable(),
    firstSeenAt: when,
    lastSeenAt: when,
  })
  .openapi('Finding');

const counts = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.object(Object.fromEntries(values.map((value) => [value, z.int()])) as Record<T[number], z.ZodInt>);

export const FindingSummarySchema = z
  .object({
    total: z.int(),
    bySeverity: counts(SEVERITIES),
    byKind: counts(FINDING_KINDS),
    byStatus: counts(FINDING_STATUSES),
  })
  .openapi('FindingSummary');

const verdict = {
  status: z.enum(['ignored', 'open']),
  triage: z
    .strictObject({
      reason: z.enum(TRIAGE_REASONS),
      comment: z.string().trim().max(1_000).optional(),
      until: z.iso.date().optional(),
    })
    .optional(),
};
const NEEDS_REASON = 'ignoring requires a triage with a reason; reopening allows none';
const hasItsReason = ({ status, triage }: { status: string; triage?: unknown }) =>
  (status === 'ignored') === (triage !== undefined);

export const TriageOne = z
  .strictObject(verdict)
  .refine(hasItsReason, { path: ['triage'], message: NEEDS_REASON })
  .openapi('TriageOne');

export const MAX_IDS = 10_000;

export const TriageMany = z
  .strictObject({
    ...verdict,
    ids: z.array(z.string()).min(1).max(MAX_IDS).optional(),
    filter: z.strictObject(findingFilter).optional(),
  })
  .refine(hasItsReason, { path: ['triage'], message: NEEDS_REASON })
  .refine(({ ids, filter }) => (ids === undefined) !== (filter === undefined), {
    path: ['ids'],
    message: 'send either ids or a filter',
  })
  .openapi('TriageMany');
