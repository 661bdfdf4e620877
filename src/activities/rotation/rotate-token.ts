import { newId } from '../../db/new-id.ts';
import type { CredentialRow } from '../../db/stores/credentials.ts';
import type { IntegrationRow } from '../../db/stores/integrations.ts';
import type { RotationRow } from '../../db/stores/rotations.ts';
import type { RotationEntry } from '../../domain/ports.ts';
import type { RotationBlock, RotationTrigger } from '../../domain/rotation.ts';
import {
  blockFor,
  dateInDays,
  isPossibleExpiry,
  lastDateBefore,
  lifetimeDays,
  rotatableOf,
} from '../../domain/rotation.ts';
import { Secret } from '../../domain/secret.ts';
import type { GitlabApi } from '../../gitlab/client.ts';
import type { RotationAnswer } from '../../gitlab/rotate.ts';
import type { RotationDeps } from '../deps.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { addRequestIdToLog } from '../log-request-id.ts';
import { currentCredential, openToken } from '../token/credential.ts';
import { suspectToken } from '../token/suspect.ts';
import type { RotationResult } from './outcomes.ts';
import { commitRotation, failedEvent, keepOldToken, resultOf } from './outcomes.ts';
import { verifyNewToken } from './resolve-rotation.ts';

export interface RotateInput {
  integrationId: string;
  /** `null`: it rotates by itself. */
  commandId: string | null;
  nowMs: number;
}

/** An intent that waited longer than this on its way to GitLab was overtaken by something: it is not sent. */
const SEND_WITHIN_MS = 30_000;
/** An attempt at the same GitLab that is older than this does not hold others up. */
const BUSY_FOR_MS = 3 * 60_000;
const COMMIT_TRIES = 60;

/**
 * The whole protocol, once: look, write down the intent, ask GitLab, write down the answer, store it, look again. Each
 * step is durable before the next. It runs once whatever happens, on the queue of one worker; whatever it leaves open is
 * settled by `resolveRotation`, never by asking GitLab again.
 */
export function createRotateToken(deps: RotationDeps) {
  return async function rotateToken(input: RotateInput): Promise<RotationResult> {
    // a cancel, such as the end of this worker, does not stop what was begun
    return withHeartbeat(
      () => null,
      () => runRotation(deps, input),
    );
  };
}

interface Prepared {
  integration: IntegrationRow;
  credential: CredentialRow;
  api: GitlabApi;
  expiresAt: string;
}

async function runRotation(deps: RotationDeps, input: RotateInput): Promise<RotationResult> {
  const now = new Date(input.nowMs);
  const command = input.commandId === null ? null : await deps.database.stores.commands.find(input.commandId);
  addRequestIdToLog(deps.log, command?.requestId);
  const will: RotationTrigger =
    command === null ? 'auto' : command.payload['force'] === true ? 'force' : 'asked';
  const wanted = command?.payload['expiresAt'];
  const prepared = await prepare({
    deps,
    input,
    will,
    wanted: typeof wanted === 'string' ? wanted : null,
  });
  if (typeof prepared === 'string') return declineRotation({ deps, input, will, code: prepared, now });
  await deps.onStep('prepared');
  const startedMs = performance.now();
  const attempt = await recordIntent({ deps, input, will, prepared, now });
  if (typeof attempt === 'string') return declineRotation({ deps, input, will, code: attempt, now });
  await deps.onStep('intent');
  if (performance.now() - startedMs > SEND_WITHIN_MS)
    return keepOldToken({ deps, attempt, code: 'too_late', now });
  const answer = await requestRotation({ deps, attempt, api: prepared.api, nowMs: input.nowMs });
  return handleAnswer({ deps, attempt, answer, now });
}

/** Everything that can be known beforehand to go wrong. @returns what is needed to ask, or why it cannot be asked */
async function prepare(input: {
  deps: RotationDeps;
  input: RotateInput;
  will: RotationTrigger;
  wanted: string | null;
}): Promise<Prepared | RotationBlock | 'not_found'> {
  const { deps, will, wanted } = input;
  const { integrationId, nowMs } = input.input;
  const { database, vault } = deps;
  const found = await currentCredential(database.stores, integrationId);
  if (found === null) return 'not_found';
  const { integration, credential } = found;
  const inDoubt = (await database.stores.rotations.open(integrationId)) !== null;
  const known = blockFor(will, rotatableOf({ integration, credential, inDoubt }), nowMs);
  if (known !== null) return known;
  if (deps.isDraining()) return 'shutting_down';
  const token = openToken({ vault, credential });
  const api = deps.gitlab.forToken({ baseUrl: integration.baseUrl, token });
  const self = await api.observeSelf();
  if (self.kind === 'no_answer') return self.cause;
  if (self.kind === 'unauthorized') {
    await suspectToken({ deps, integrationId, now: new Date(nowMs) });
    return self.reason === 'unknown' ? 'token_rejected' : `token_${self.reason}`;
  }
  if (self.kind !== 'token') return 'token_permission_unknown';
  const { gitlabTokenId, mayRotate, expiresAt } = self.token;
  if (credential.gitlabTokenId !== null && credential.gitlabTokenId !== gitlabTokenId) return 'token_changed';
  const seen = { ...rotatableOf({ integration, credential, inDoubt }), mayRotate };
  const block = blockFor(will, expiresAt === undefined ? seen : { ...seen, expiresAt }, nowMs);
  if (block !== null) return block;
  const life = lifetimeDays({ createdAt: self.token.createdAt, expiresAt: expiresAt ?? null });
  const usable = wanted !== null && isPossibleExpiry(wanted, nowMs) ? wanted : dateInDays(nowMs, life);
  return (
    (await checkStorage(deps, { integrationId, nowMs })) ?? {
      integration,
      credential,
      api,
      expiresAt: usable,
    }
  );
}

/** A journal that cannot be synced, a vault that cannot seal, a database that cannot insert: then GitLab is not asked. */
async function checkStorage(
  deps: RotationDeps,
  { integrationId, nowMs }: { integrationId: string; nowMs: number },
): Promise<RotationBlock | null> {
  try {
    await deps.journal.tryOut();
  } catch (err) {
    deps.log.error({ err }, 'the journal of rotations cannot be written');
    return 'journal_not_writable';
  }
  const id = newId('credential');
  const context = { table: 'credential', rowId: id, version: 0 };
  const sealed = deps.vault.seal({ context, secret: new Secret(id) });
  deps.vault.unseal({ context, sealed });
  const { record, keyId } = sealed;
  try {
    await deps.database.transaction(async (tx) => {
      const row = {
        id,
        integrationId,
        version: 0,
        sealed: record,
        keyId,
        tokenHash: id,
        now: new Date(nowMs),
      };
      await tx.credentials.add({ ...row, state: 'candidate' });
      throw new RollbackProbe();
    });
  } catch (err) {
    if (err instanceof RollbackProbe) return null;
    deps.log.error({ err }, 'a credential cannot be stored');
  }
  return 'database_not_writable';
}

class RollbackProbe extends Error {}

/** From its commit on GitLab may be asked, once, by whoever holds this row. */
async function recordIntent(input: {
  deps: RotationDeps;
  input: RotateInput;
  will: RotationTrigger;
  prepared: Prepared;
  now: Date;
}): Promise<RotationRow | RotationBlock> {
  const { deps, will, now } = input;
  const { integration, credential, expiresAt } = input.prepared;
  const { integrationId, commandId } = input.input;
  const id = newId('rotation');
  const { origin } = new URL(integration.baseUrl);
  return deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    const current = await tx.credentials.current(integrationId);
    if (row === null || current?.id !== credential.id) return 'token_changed';
    if ((await tx.rotations.open(integrationId)) !== null) return 'rotation_in_doubt';
    const since = new Date(now.getTime() - BUSY_FOR_MS);
    if (await tx.rotations.isBusy({ origin, since })) return 'rotation_busy';
    if (deps.isDraining()) return 'shutting_down';
    await tx.rotations.add({
      id,
      integrationId,
      credentialId: credential.id,
      newCredentialId: newId('credential'),
      newVersion: await tx.credentials.nextVersion(integrationId),
      oldTokenId: credential.gitlabTokenId ?? null,
      tokenName: credential.tokenName ?? null,
      workerId: deps.journal.workerId,
      origin,
      will,
      commandId,
      state: 'intent',
      code: null,
      expiresOn: expiresAt,
      now,
    });
    return (await tx.rotations.find(id)) ?? 'database_not_writable';
  });
}

/** One POST; a second one only where GitLab said of the first that a sooner date would do, which changed nothing. */
async function requestRotation(input: {
  deps: RotationDeps;
  attempt: RotationRow;
  api: GitlabApi;
  nowMs: number;
}): Promise<RotationAnswer> {
  const { deps, attempt, api, nowMs } = input;
  const answer = await api.rotateSelf({ expiresAt: attempt.expiresOn });
  if (answer.kind !== 'expiry_too_late') return answer;
  const sooner = lastDateBefore(answer.mustBeBefore, nowMs);
  if (sooner === null) return { kind: 'refused', code: 'expiry_not_accepted' };
  await deps.database.stores.rotations.setExpiry({ id: attempt.id, expiresOn: sooner });
  const second = await api.rotateSelf({ expiresAt: sooner });
  return second.kind === 'expiry_too_late' ? { kind: 'refused', code: 'expiry_not_accepted' } : second;
}

async function handleAnswer(input: {
  deps: RotationDeps;
  attempt: RotationRow;
  answer: RotationAnswer;
  now: Date;
}): Promise<RotationResult> {
  const { deps, attempt, answer, now } = input;
  switch (answer.kind) {
    case 'rotated':
      await deps.onStep('answered');
      return persistNewToken({ deps, attempt, answer, now });
    case 'refused':
      return keepOldToken({ deps, attempt, code: answer.code, now });
    case 'expiry_too_late':
      return keepOldToken({ deps, attempt, code: 'expiry_not_accepted', now });
    case 'in_doubt': {
      const { problem, newTokenId } = answer;
      deps.log.error(
        { attemptId: attempt.id, problem },
        'GitLab was asked to rotate, and its answer did not arrive',
      );
      const known = newTokenId === null ? {} : { newTokenId };
      await deps.database.stores.rotations.recordProgress({ id: attempt.id, nextLookAt: now, ...known });
      return resultOf(attempt, 'in_doubt');
    }
  }
}

/** The answer exists only here: sealed and on the disk before anything else, then in the database. */
async function persistNewToken(input: {
  deps: RotationDeps;
  attempt: RotationRow;
  answer: RotationAnswer & { kind: 'rotated' };
  now: Date;
}): Promise<RotationResult> {
  const { deps, attempt, answer, now } = input;
  const context = { table: 'credential', rowId: attempt.newCredentialId, version: attempt.newVersion };
  const entry: RotationEntry = {
    attemptId: attempt.id,
    sealed: deps.vault.seal({ context, secret: answer.value }),
    newTokenId: answer.newTokenId,
    expiresAt: answer.facts.expiresAt,
    createdAt: answer.facts.createdAt,
  };
  const isJournalled = await writeJournal(deps, entry);
  await deps.onStep('journalled');
  const { expiresAt = attempt.expiresOn, newTokenId } = entry;
  const result = { ...resultOf(attempt, 'in_doubt'), newTokenId, expiresAt };
  if (!(await commitWithRetries({ deps, attempt, entry, now, tries: isJournalled ? 1 : COMMIT_TRIES })))
    return result;
  await deps.onStep('committed');
  return verifyNewToken({ deps, attempt: { ...attempt, newTokenId, expiresOn: expiresAt ?? '' }, now });
}

async function writeJournal(deps: RotationDeps, entry: RotationEntry): Promise<boolean> {
  try {
    await deps.journal.write(entry);
    return true;
  } catch (err) {
    deps.log.error({ err, attemptId: entry.attemptId }, 'the answer of GitLab could not be journalled');
    return false;
  }
}

/** @returns false where the journal has to wait for the database, or somebody else stored it */
async function commitWithRetries(input: {
  deps: RotationDeps;
  attempt: RotationRow;
  entry: RotationEntry;
  now: Date;
  tries: number;
}): Promise<boolean> {
  for (let left = input.tries; left > 0; left -= 1) {
    try {
      return await commitRotation(input);
    } catch (err) {
      input.deps.log.error({ err, attemptId: input.attempt.id }, 'the rotated token could not be stored yet');
      if (left > 1) await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
  return false;
}

/** GitLab was not asked. What rotates by itself is tried again later, and says so once. */
async function declineRotation(input: {
  deps: RotationDeps;
  input: RotateInput;
  will: RotationTrigger;
  code: string;
  now: Date;
}): Promise<RotationResult> {
  const { deps, will, code, now } = input;
  const { integrationId, commandId } = input.input;
  const attemptId = newId('rotation');
  await deps.database.transaction(async (tx) => {
    const row = await tx.integrations.lock(integrationId);
    const credential = await tx.credentials.current(integrationId);
    if (commandId !== null) await tx.commands.finish({ id: commandId, result: { code }, now });
    if (row === null || credential === null) return;
    const last = await tx.rotations.last(integrationId);
    if (will === 'auto') {
      await tx.rotations.add({
        id: attemptId,
        integrationId,
        credentialId: credential.id,
        newCredentialId: credential.id,
        newVersion: credential.version,
        oldTokenId: credential.gitlabTokenId ?? null,
        tokenName: null,
        workerId: deps.journal.workerId,
        origin: new URL(row.baseUrl).origin,
        will,
        commandId,
        state: 'refused',
        code,
        expiresOn: credential.expiresOn ?? '',
        now,
      });
    }
    const isNews = will !== 'auto' || (!PASSING.has(code) && last?.code !== code);
    if (!isNews) return;
    const event = failedEvent(row, code);
    const data = { ...event.data, attemptId };
    await tx.events.add([{ ...event, integrationId, actor: 'system', data }], now);
  });
  return { attemptId, code, newTokenId: null, expiresAt: null };
}

const PASSING: ReadonlySet<string> = new Set(['rotation_busy', 'shutting_down']);
