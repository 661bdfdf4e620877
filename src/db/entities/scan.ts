import { defineEntity, p } from '@mikro-orm/core';
import type { ScanCause } from '../../domain/causes.ts';
import type { FindingKind, FindingStatus, Severity, TriageReason } from '../../domain/finding.ts';
import type {
  IncompleteReason,
  ScanHistory,
  ScannedRef,
  ScannerStatus,
  ScanOutcome,
  ScanPhase,
  ScanStatus,
  ScanTrigger,
  SkippedFiles,
} from '../../domain/scan.ts';

const ScanSchema = defineEntity({
  name: 'Scan',
  tableName: 'scan',
  indexes: [
    { properties: ['repositoryId', 'id'] },
    { properties: ['integrationId', 'status', 'priority', 'id'] },
  ],
  properties: {
    id: p.string().primary(),
    integrationId: p.string(),
    repositoryId: p.string(),
    trigger: p.string().$type<ScanTrigger>(),
    priority: p.integer(),
    status: p.string().$type<ScanStatus>(),
    phase: p.string().$type<ScanPhase>().nullable(),
    outcome: p.string().$type<ScanOutcome>().nullable(),
    history: p.string().$type<ScanHistory>(),
    cause: p.string().$type<ScanCause>().nullable(),
    commit: p.string().nullable(),
    attempt: p.integer(),
    /** How often it was queued again. */
    requeues: p.integer(),
    /** A queued scan does not start before this time. */
    nextTryAt: p.datetime().nullable(),
    /** `full` was requested while it ran: a full scan follows. */
    fullAgain: p.boolean(),
    /** A hook arrived after the running attempt began: another scan follows. */
    again: p.boolean().default(false),
    cancelRequestedAt: p.datetime().nullable(),
    /** Id of the request that caused it; its activity logs it. */
    requestId: p.string().nullable(),
    queuedAt: p.datetime(),
    startedAt: p.datetime().nullable(),
    finishedAt: p.datetime().nullable(),
    cloneBytes: p.bigint('number').nullable(),
    cloneMs: p.integer().nullable(),
    /** What the scan covered. */
    refs: p.json().$type<ScannedRef[]>().default('[]'),
    incompleteBecause: p.json().$type<IncompleteReason[]>().default('[]'),
  },
});
export class Scan extends ScanSchema.class {}
ScanSchema.setClass(Scan);

const ScannerRunSchema = defineEntity({
  name: 'ScannerRunRow',
  tableName: 'scanner_run',
  properties: {
    scanId: p.string().primary(),
    name: p.string().primary(),
    version: p.string().nullable(),
    rules: p.string().nullable(),
    status: p.string().$type<ScannerStatus>(),
    cause: p.string().$type<ScanCause>().nullable(),
    findings: p.integer(),
    filesScanned: p.integer(),
    filesSkipped: p.json().$type<SkippedFiles[]>(),
    durationMs: p.integer(),
  },
});
export class ScannerRunRow extends ScannerRunSchema.class {}
ScannerRunSchema.setClass(ScannerRunRow);

export interface Triage {
  reason: TriageReason;
  comment: string | null;
  by: string;
  at: string;
  until: string | null;
}

const FindingSchema = defineEntity({
  name: 'Finding',
  tableName: 'finding',
  uniques: [{ properties: ['repositoryId', 'fingerprint'] }],
  indexes: [
    { properties: ['integrationId', 'status', 'id'] },
    { properties: ['repositoryId', 'status', 'id'] },
  ],
  properties: {
    id: p.string().primary(),
    integrationId: p.string(),
    repositoryId: p.string(),
    kind: p.string().$type<FindingKind>(),
    scanner: p.string(),
    ruleId: p.string(),
    title: p.text(),
    severity: p.string().$type<Severity>(),
    cwe: p.json().$type<string[]>(),
    path: p.text(),
    startLine: p.integer(),
    endLine: p.integer(),
    commit: p.string(),
    author: p.text().nullable(),
    committedAt: p.datetime().nullable(),
    excerpt: p.text(),
    fingerprint: p.string(),
    /** The commit that introduced it; `null` while only the head was read. */
    introducedCommit: p.string().nullable(),
    introducedAuthor: p.text().nullable(),
    introducedAt: p.datetime().nullable(),
    /** Found at the head of the default branch; otherwise only in older commits, which a head scan cannot close. */
    atHead: p.boolean(),
    /** Since when it is at the head, or no longer. */
    headChangedAt: p.datetime().nullable(),
    status: p.string().$type<FindingStatus>(),
    triage: p.json().$type<Triage>().nullable(),
    firstSeenAt: p.datetime(),
    lastSeenAt: p.datetime(),
    lastScanId: p.string(),
  },
});
export class Finding extends FindingSchema.class {}
FindingSchema.setClass(Finding);
