import { defineEntity, p } from '@mikro-orm/core';
import type { ApiKeyRole } from '../../domain/user.ts';

const EventSchema = defineEntity({
  name: 'Event',
  tableName: 'event',
  indexes: [{ properties: ['tx', 'seq'] }, { properties: ['integrationId', 'seq'] }],
  properties: {
    seq: p.bigint('number').primary().autoincrement(),
    /** The writing transaction: readers stop before the oldest open one, so that a late commit is never skipped. */
    tx: p.string().columnType('xid8').defaultRaw('pg_current_xact_id()'),
    id: p.string().unique(),
    at: p.datetime(),
    kind: p.string(),
    audit: p.boolean(),
    integrationId: p.string().nullable(),
    repositoryId: p.string().nullable(),
    actor: p.text(),
    text: p.text(),
    data: p.json().$type<Record<string, unknown>>(),
  },
});
export class Event extends EventSchema.class {}
EventSchema.setClass(Event);

const EventClusterSchema = defineEntity({
  name: 'EventCluster',
  tableName: 'event_cluster',
  properties: {
    /** System identifier of the PostgreSQL cluster whose transaction ids `event.tx` holds. */
    id: p.string().primary(),
  },
});
export class EventCluster extends EventClusterSchema.class {}
EventClusterSchema.setClass(EventCluster);

/** `environment` is managed by SECU_BOOTSTRAP_API_KEY, `cli` by the embedded installation's own key file. */
export type ApiKeySource = 'api' | 'environment' | 'cli';

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.string().primary(),
    name: p.text(),
    role: p.string().$type<ApiKeyRole>(),
    /** SHA-256 of the whole value, hex: 256 random bits need no slow hash. */
    hash: p.string().unique(),
    lastFour: p.string(),
    source: p.string().$type<ApiKeySource>(),
    createdAt: p.datetime(),
    expiresAt: p.datetime().nullable(),
    lastUsedAt: p.datetime().nullable(),
    removedAt: p.datetime().nullable(),
  },
});
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);

const IdempotencyKeySchema = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_key',
  properties: {
    principal: p.string().primary(),
    route: p.string().primary(),
    key: p.string().primary(),
    /** Keyed hash of the body, which may hold a token. */
    bodyHash: p.string(),
    /** `null` while the first request is in flight. */
    status: p.integer().nullable(),
    /** The answer's body without once-only secrets, and its `Location`. */
    response: p.json().$type<unknown>().nullable(),
    location: p.text().nullable(),
    createdAt: p.datetime(),
  },
});
export class IdempotencyKey extends IdempotencyKeySchema.class {}
IdempotencyKeySchema.setClass(IdempotencyKey);

const DataKeySchema = defineEntity({
  name: 'DataKey',
  tableName: 'data_key',
  properties: {
    purpose: p.string().primary(),
    sealed: p.blob(),
    keyId: p.string(),
    createdAt: p.datetime(),
  },
});
export class DataKey extends DataKeySchema.class {}
DataKeySchema.setClass(DataKey);

const KeyCheckSchema = defineEntity({
  name: 'KeyCheck',
  tableName: 'key_check',
  properties: { keyId: p.string().primary(), sealed: p.blob(), createdAt: p.datetime() },
});
export class KeyCheck extends KeyCheckSchema.class {}
KeyCheckSchema.setClass(KeyCheck);

/** The metrics report of a running worker; see the store. */
const WorkerReportSchema = defineEntity({
  name: 'WorkerReport',
  tableName: 'worker_report',
  properties: {
    id: p.string().primary(),
    queues: p.json().$type<string[]>(),
    metrics: p.text(),
    at: p.datetime(),
  },
});
export class WorkerReport extends WorkerReportSchema.class {}
WorkerReportSchema.setClass(WorkerReport);
