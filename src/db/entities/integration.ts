import { defineEntity, p } from '@mikro-orm/core';
import type { InvalidCause, ReachabilityCause } from '../../domain/causes.ts';
import type { CommandKind } from '../../domain/command.ts';
import type {
  Branches,
  Filters,
  HistoryMode,
  OwnerKind,
  ReachabilityState,
  TokenWarning,
  Verdict,
} from '../../domain/integration.ts';
import type { RotationFailure, RotationTrigger } from '../../domain/rotation.ts';

const IntegrationSchema = defineEntity({
  name: 'Integration',
  tableName: 'integration',
  properties: {
    id: p.string().primary(),
    provider: p.string(),
    type: p.string(),
    name: p.string(),
    baseUrl: p.string(),
    verdict: p.string().$type<Verdict>(),
    cause: p.string().$type<InvalidCause>().nullable(),
    paused: p.boolean(),
    removedAt: p.datetime().nullable(),
    reachability: p.string().$type<ReachabilityState>(),
    reachabilityCause: p.string().$type<ReachabilityCause>().nullable(),
    reachabilitySince: p.datetime(),
    /** A JSON 401 arrived while active: no clone starts until a second verification has decided. */
    suspectedAt: p.datetime().nullable(),
    filters: p.json().$type<Filters>(),
    /** How much of the history is scanned; `null` = as SECU_HISTORY says. */
    history: p.string().$type<HistoryMode>().nullable(),
    /** The branches in which secrets are looked for. */
    branches: p.json().$type<Branches>(),
    autoRotateEnabled: p.boolean(),
    autoRotateDaysBefore: p.integer(),
    warnings: p.json().$type<TokenWarning[]>(),
    lastVerifiedAt: p.datetime().nullable(),
    nextVerifyAt: p.datetime().nullable(),
    verifyFailures: p.integer(),
    /** Verifications caused by failing scans since `promptedSince`. */
    promptedChecks: p.integer(),
    promptedSince: p.datetime().nullable(),
    lastSyncAt: p.datetime().nullable(),
    nextSyncAt: p.datetime().nullable(),
    /** The last complete listing; `null` = the next sync must be one. */
    lastFullSyncAt: p.datetime().nullable(),
    /** The time between two syncs now; `null` = as the settings say. */
    syncPaceMs: p.integer().nullable(),
    listed: p.integer(),
    /** Fingerprint of the removals that the brake holds back, and how many consecutive listings agree on them. */
    brakeHeld: p.string().nullable(),
    brakeListings: p.integer(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});
export class Integration extends IntegrationSchema.class {}
IntegrationSchema.setClass(Integration);

const CredentialSchema = defineEntity({
  name: 'Credential',
  tableName: 'credential',
  indexes: [{ properties: ['integrationId'] }],
  properties: {
    id: p.string().primary(),
    integrationId: p.string(),
    version: p.integer(),
    state: p.string().$type<CredentialState>(),
    /** The sealed token; `null` once wiped. */
    sealed: p.blob().nullable(),
    keyId: p.string().nullable(),
    /** Keyed hash of the token, to detect one that is already integrated; `null` once wiped. */
    tokenHash: p.string().nullable(),
    gitlabTokenId: p.bigint('number').nullable(),
    tokenName: p.text().nullable(),
    scopes: p.json().$type<string[]>(),
    granular: p.boolean(),
    /** Whether its scopes or permissions let it rotate itself; `null` if GitLab does not report it. */
    mayRotate: p.boolean().nullable(),
    ownerUsername: p.text().nullable(),
    ownerKind: p.string().$type<OwnerKind>(),
    tokenCreatedAt: p.datetime().nullable(),
    tokenLastUsedAt: p.datetime().nullable(),
    /** `YYYY-MM-DD`; with `expiryKnown` and no date the token never expires. */
    expiresOn: p.string().nullable(),
    expiryKnown: p.boolean(),
    /** The facts above come from GitLab: at least one verification succeeded. */
    factsAt: p.datetime().nullable(),
    /** When it became the current one. */
    currentAt: p.datetime().nullable(),
    /** Smallest threshold flagged so far, 0 = expired. */
    flag: p.integer().nullable(),
    flaggedAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    wipedAt: p.datetime().nullable(),
  },
});
export type CredentialState = 'candidate' | 'current' | 'previous' | 'wiped';
export class Credential extends CredentialSchema.class {}
CredentialSchema.setClass(Credential);

const ExpiryFlagSchema = defineEntity({
  name: 'ExpiryFlag',
  tableName: 'expiry_flag',
  properties: {
    credentialId: p.string().primary(),
    /** Days before expiry, 0 = expired. */
    thresholdDays: p.integer().primary(),
    flaggedAt: p.datetime(),
  },
});
export class ExpiryFlag extends ExpiryFlagSchema.class {}
ExpiryFlagSchema.setClass(ExpiryFlag);

export type CommandState = 'queued' | 'claimed' | 'done';

const CommandSchema = defineEntity({
  name: 'Command',
  tableName: 'command',
  indexes: [{ properties: ['integrationId', 'id'] }],
  properties: {
    id: p.string().primary(),
    integrationId: p.string(),
    kind: p.string().$type<CommandKind>(),
    payload: p.json().$type<Record<string, unknown>>(),
    state: p.string().$type<CommandState>(),
    /** Outcome in codes and counts; `null` until done. */
    result: p.json().$type<Record<string, unknown>>().nullable(),
    /** Id of the request that caused it; its activities log it. */
    requestId: p.string().nullable(),
    createdAt: p.datetime(),
    claimedAt: p.datetime().nullable(),
    doneAt: p.datetime().nullable(),
  },
});
export class Command extends CommandSchema.class {}
CommandSchema.setClass(Command);

const HookReceiverSchema = defineEntity({
  name: 'HookReceiver',
  tableName: 'hook_receiver',
  properties: {
    integrationId: p.string().primary(),
    /** The sealed hook token. */
    sealed: p.blob(),
    keyId: p.string(),
    version: p.integer(),
    lastAt: p.datetime().nullable(),
    /** The minute in which hints are counted now, and their number. */
    windowStartedAt: p.datetime().nullable(),
    windowHints: p.integer(),
    /** When hints ask for a sync; `null` = they do not. */
    syncDueAt: p.datetime().nullable(),
    /** When the last sync began that hints had asked for. */
    syncStartedAt: p.datetime().nullable(),
    createdAt: p.datetime(),
  },
});
export class HookReceiver extends HookReceiverSchema.class {}
HookReceiverSchema.setClass(HookReceiver);

const HintedProjectSchema = defineEntity({
  name: 'HintedProject',
  tableName: 'hinted_project',
  properties: {
    integrationId: p.string().primary(),
    gitlabProjectId: p.bigint('number').primary(),
    hintedAt: p.datetime(),
  },
});
export class HintedProject extends HintedProjectSchema.class {}
HintedProjectSchema.setClass(HintedProject);

export type OutboxKind = 'wake_integration' | 'wake_fleet';

const OutboxSchema = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  indexes: [{ properties: ['integrationId'] }],
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    kind: p.string().$type<OutboxKind>(),
    integrationId: p.string(),
    createdAt: p.datetime(),
  },
});
export class Outbox extends OutboxSchema.class {}
OutboxSchema.setClass(Outbox);

/**
 * `intent`: GitLab may have been asked, and the outcome is unknown. `committed`: the new token is stored but not verified.
 * All others are final: `refused` and `not_rotated` left the old token in use; `superseded`: a person replaced it.
 */
export type RotationState =
  | 'intent'
  | 'committed'
  | 'done'
  | 'refused'
  | 'not_rotated'
  | 'lost'
  | 'superseded';

const RotationSchema = defineEntity({
  name: 'Rotation',
  tableName: 'rotation',
  indexes: [{ properties: ['integrationId', 'id'] }],
  properties: {
    id: p.string().primary(),
    integrationId: p.string(),
    /** The credential that the rotation request is sent with. */
    credentialId: p.string(),
    /** Chosen before the request, so that the new token can be sealed for it. */
    newCredentialId: p.string(),
    newVersion: p.integer(),
    oldTokenId: p.bigint('number').nullable(),
    tokenName: p.text().nullable(),
    /** The worker whose journal holds the answer. */
    workerId: p.string(),
    /** Time of the database clock. */
    ownerSeenAt: p.datetime(),
    /** GitLab origin: one rotation at a time per origin. */
    origin: p.text(),
    trigger: p.string().fieldName('will').$type<RotationTrigger>(),
    commandId: p.string().nullable(),
    state: p.string().$type<RotationState>(),
    /** Why there is no new token. */
    code: p.string().$type<RotationFailure>().nullable(),
    /** True when GitLab may have received the request. */
    sent: p.boolean(),
    /** Requested expiry date, `YYYY-MM-DD`; afterwards the one that GitLab chose. */
    expiresOn: p.string(),
    newTokenId: p.bigint('number').nullable(),
    /** When the old token was first verified after the answer did not arrive. */
    firstAliveAt: p.datetime().nullable(),
    nextCheckAt: p.datetime().fieldName('next_look_at').nullable(),
    createdAt: p.datetime(),
    endedAt: p.datetime().nullable(),
  },
});
export class Rotation extends RotationSchema.class {}
RotationSchema.setClass(Rotation);
