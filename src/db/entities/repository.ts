import { defineEntity, p } from '@mikro-orm/core';
import type { HistoryCause } from '../../domain/history.ts';
import type { Exclusion, RepositoryState } from '../../domain/repository.ts';
import type { UnreadableProject } from '../../domain/unreadable.ts';

const RepositorySchema = defineEntity({
  name: 'Repository',
  tableName: 'repository',
  uniques: [{ properties: ['integrationId', 'gitlabProjectId'] }],
  indexes: [{ properties: ['integrationId', 'state', 'id'] }],
  properties: {
    id: p.string().primary(),
    integrationId: p.string(),
    gitlabProjectId: p.bigint('number'),
    fullPath: p.text(),
    defaultBranch: p.text().nullable(),
    visibility: p.string(),
    lastActivityAt: p.datetime().nullable(),
    empty: p.boolean(),
    archived: p.boolean(),
    fork: p.boolean(),
    personal: p.boolean(),
    pendingDeletion: p.boolean(),
    repositoryDisabled: p.boolean(),
    state: p.string().$type<RepositoryState>(),
    excludedBecause: p.string().$type<Exclusion>().nullable(),
    /** The last sync that did not list it, and how many complete listings in a row did not. */
    missedBySyncId: p.string().nullable(),
    missedListings: p.integer(),
    /** When its head was last read, by a scan or `ls-remote`; `null` = never. `headCommit` is that head. */
    checkedAt: p.datetime().nullable(),
    headCommit: p.string().nullable(),
    scannedRules: p.string().nullable(),
    lastScanId: p.string().nullable(),
    scannedAt: p.datetime().nullable(),
    /** The rules under which its history was read, or could not be read; `null` = not tried. */
    historyRules: p.text().nullable(),
    /** Why its history could not be read, or not in full. */
    historyCause: p.string().$type<HistoryCause>().nullable(),
    historyReadAt: p.datetime().nullable(),
    openCritical: p.integer(),
    openHigh: p.integer(),
    openMedium: p.integer(),
    openLow: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});
export class Repository extends RepositorySchema.class {}
RepositorySchema.setClass(Repository);

/** A branch whose history was read, up to this commit. */
const ScannedRefSchema = defineEntity({
  name: 'ScannedRefRow',
  tableName: 'scanned_ref',
  properties: {
    repositoryId: p.string().primary(),
    name: p.text().primary(),
    commit: p.string(),
    scannedAt: p.datetime(),
  },
});
export class ScannedRefRow extends ScannedRefSchema.class {}
ScannedRefSchema.setClass(ScannedRefRow);

export type SyncTrigger = 'created' | 'schedule' | 'manual';
export type SyncState = 'queued' | 'running' | 'waiting' | 'done' | 'failed';

const SyncRunSchema = defineEntity({
  name: 'SyncRun',
  tableName: 'sync_run',
  indexes: [{ properties: ['integrationId', 'id'] }],
  properties: {
    id: p.string().primary(),
    integrationId: p.string(),
    trigger: p.string().$type<SyncTrigger>(),
    state: p.string().$type<SyncState>(),
    cause: p.string().nullable(),
    /** Only projects with activity since then are listed; `null` = all. */
    activeSince: p.datetime().nullable(),
    acceptRemovals: p.boolean(),
    /** A setting changed while it ran: another sync follows. */
    again: p.boolean(),
    /** Id of the request that caused it; its activities log it. */
    requestId: p.string().nullable(),
    listed: p.integer(),
    complete: p.boolean(),
    added: p.integer(),
    renamed: p.integer(),
    excluded: p.integer(),
    missing: p.integer(),
    returned: p.integer(),
    removed: p.integer(),
    queuedScans: p.integer(),
    /** Listed items that could not be read. */
    unreadable: p.json().$type<UnreadableProject[]>(),
    createdAt: p.datetime(),
    startedAt: p.datetime().nullable(),
    finishedAt: p.datetime().nullable(),
  },
});
export class SyncRun extends SyncRunSchema.class {}
SyncRunSchema.setClass(SyncRun);
