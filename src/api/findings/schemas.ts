import { FINDING_KINDS, FINDING_STATUSES, SEVERITIES } from '../../domain/finding.ts';
import { z } from '../shared.ts';

const when = z.iso.datetime();

export const FindingSchema = z
  .object({
    id: z.string(),
    repositoryId: z.string(),
    kind: z.enum(FINDING_KINDS),
    scanner: z.string(),
    ruleId: z.string(),
    title: z.string(),
    severity: z.enum(SEVERITIES),
    cwe: z.array(z.string()),
    path: z.string(),
    startLine: z.int(),
    endLine: z.int(),
    commit: z.string(),
    author: z.string().nullable(),
    committedAt: when.nullable(),
    excerpt: z.string(),
    permalink: z.string(),
    fingerprint: z.string(),
    status: z.enum(FINDING_STATUSES),
    triage: z
      .object({
        reason: z.enum(['false_positive', 'accepted_risk', 'used_in_tests', 'other']),
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
