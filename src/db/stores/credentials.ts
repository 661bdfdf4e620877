import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { TokenFacts } from '../../domain/integration.ts';
import type { Expiry } from '../../domain/token-expiry.ts';
import { expiryDate, expiryFrom } from '../../domain/token-expiry.ts';
import type { CredentialState } from '../entities/integration.ts';
import { Credential } from '../entities/integration.ts';
import type { Row } from '../rows.ts';
import { rowOf } from '../rows.ts';
import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

const COLUMNS = [
  'id',
  'integrationId',
  'version',
  'state',
  'sealed',
  'keyId',
  'tokenHash',
  'gitlabTokenId',
  'tokenName',
  'scopes',
  'granular',
  'mayRotate',
  'ownerUsername',
  'ownerKind',
  'tokenCreatedAt',
  'currentAt',
  'factsAt',
  'flag',
  'flaggedAt',
] as const satisfies readonly (keyof Credential)[];

export interface CredentialRow extends Row<Credential, (typeof COLUMNS)[number]> {
  expiry: Expiry;
}

/** The two columns of an expiry. */
export function storedExpiry(row: { expiryKnown: boolean; expiresOn?: string | null | undefined }): Expiry {
  return expiryFrom(row.expiryKnown ? (row.expiresOn ?? null) : undefined);
}

function credentialOf(entity: Credential | null): CredentialRow | null {
  return entity === null ? null : { ...rowOf(entity, COLUMNS), expiry: storedExpiry(entity) };
}

export function createCredentialStore({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    ...createCredentialInserts({ em, sql }),
    ...createCredentialReads({ em, sql }),
    ...createTokenFacts(sql),
    ...createCredentialPromotion(sql),
    ...createCredentialWipes(sql),
    ...createExpiryFlags(sql),
  };
}

/** Adds credentials. */
function createCredentialInserts({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async add(input: {
      id: string;
      integrationId: string;
      version: number;
      state: CredentialState;
      sealed: Buffer;
      keyId: string;
      tokenHash: string;
      now: Date;
    }): Promise<void> {
      const { now, ...columns } = input;
      await em().insert(Credential, {
        ...columns,
        gitlabTokenId: null,
        tokenName: null,
        scopes: [],
        granular: false,
        mayRotate: null,
        ownerUsername: null,
        ownerKind: 'unknown',
        tokenCreatedAt: null,
        tokenLastUsedAt: null,
        expiresOn: null,
        expiryKnown: false,
        factsAt: null,
        currentAt: input.state === 'current' ? now : null,
        flag: null,
        flaggedAt: null,
        createdAt: now,
        wipedAt: null,
      });
    },

    async nextVersion(integrationId: string): Promise<number> {
      const row = await sql.first<{ version: number }>(
        `select coalesce(max(version), 0) + 1 as version from credential where integration_id = $1`,
        [integrationId],
      );
      return row?.version ?? 1;
    },
  };
}

/** Reads credentials with their expiry. */
function createCredentialReads({ em, sql }: { em: () => SqlEntityManager; sql: Sql }) {
  return {
    async current(integrationId: string): Promise<CredentialRow | null> {
      return credentialOf(await em().findOne(Credential, { integrationId, state: 'current' }));
    },

    async find(id: string): Promise<CredentialRow | null> {
      return credentialOf(await em().findOne(Credential, { id }));
    },

    /** The live integration that holds a token with this keyed hash. */
    async integrationHolding(tokenHash: string): Promise<string | null> {
      const row = await sql.first<{ integration_id: string }>(
        `select integration_id from credential where token_hash = $1 and state in ('current', 'candidate') limit 1`,
        [tokenHash],
      );
      return row?.integration_id ?? null;
    },
  };
}

/** What is known about a token. */
function createTokenFacts(sql: Sql) {
  return {
    /** Stores the token facts from GitLab. When GitLab reports no expiry date, the one that a person set stays. */
    async recordFacts({ id, token, now }: { id: string; token: TokenFacts; now: Date }): Promise<void> {
      await sql.run(
        `update credential set gitlab_token_id = $2, token_name = $3, scopes = $4, granular = $5, owner_username = $6,
           owner_kind = $7, token_created_at = $8, token_last_used_at = $9, facts_at = $10, may_rotate = $13,
           expires_on = case when $12 then $11 else expires_on end, expiry_known = expiry_known or $12
         where id = $1 and state in ('current', 'candidate')`,
        [
          id,
          token.gitlabTokenId,
          token.name,
          jsonText(token.scopes),
          token.granular,
          token.owner.username,
          token.owner.kind,
          token.createdAt,
          token.lastUsedAt,
          now,
          expiryDate(token.expiry),
          token.expiry.kind !== 'unknown',
          token.mayRotate,
        ],
      );
    },

    /** Sets the expiry date that a person entered, when GitLab reports none. A new date resets the flags. */
    async setExpiry(input: { id: string; expiresOn: string }): Promise<void> {
      const moved = await sql.run(
        `update credential set expires_on = $2, expiry_known = true, flag = null, flagged_at = null
         where id = $1 and expires_on is distinct from $2`,
        [input.id, input.expiresOn],
      );
      if (moved === 1) await sql.run('delete from expiry_flag where credential_id = $1', [input.id]);
    },
  };
}

/** Changes of the current credential. */
function createCredentialPromotion(sql: Sql) {
  return {
    /**
     * Makes the candidate the current credential and wipes the old ciphertext in the same transaction. Nothing is
     * wiped unless the candidate is still one: it may be the only copy of a token. Call it under the integration's lock.
     * @returns false when it is no candidate any more
     */
    async promote(input: { id: string; integrationId: string; now: Date }): Promise<boolean> {
      const candidate = await sql.first<{ id: string }>(
        `select id from credential where id = $1 and integration_id = $2 and state = 'candidate' for update`,
        [input.id, input.integrationId],
      );
      if (candidate === null) return false;
      await sql.run(
        `update credential set state = 'wiped', sealed = null, key_id = null, token_hash = null, wiped_at = $2
         where integration_id = $1 and state in ('current', 'previous')`,
        [input.integrationId, input.now],
      );
      const changed = await sql.run(
        `update credential set state = 'current', current_at = $3 where id = $1 and integration_id = $2 and state = 'candidate'`,
        [input.id, input.integrationId, input.now],
      );
      return changed === 1;
    },

    /** Demotes the current credential after a rotation. Its ciphertext stays until the new token is verified. */
    async demoteToPrevious({ id }: { id: string }): Promise<boolean> {
      const changed = await sql.run(
        `update credential set state = 'previous' where id = $1 and state = 'current'`,
        [id],
      );
      return changed === 1;
    },
  };
}

/** Wipes ciphertexts. */
function createCredentialWipes(sql: Sql) {
  return {
    /** Wipes the demoted credential once the new token is verified. */
    async wipePrevious({ integrationId, now }: { integrationId: string; now: Date }): Promise<void> {
      await sql.run(
        `update credential set state = 'wiped', sealed = null, key_id = null, token_hash = null, wiped_at = $2
         where integration_id = $1 and state = 'previous'`,
        [integrationId, now],
      );
    },

    /** Wipes a refused candidate. @returns false when it is no longer a candidate */
    async wipeCandidate({ id, now }: { id: string; now: Date }): Promise<boolean> {
      const changed = await sql.run(
        `update credential set state = 'wiped', sealed = null, key_id = null, token_hash = null, wiped_at = $2
         where id = $1 and state = 'candidate'`,
        [id, now],
      );
      return changed === 1;
    },

    /** Wipes every candidate of an integration whose command was abandoned. */
    async wipeCandidates({ integrationId, now }: { integrationId: string; now: Date }): Promise<void> {
      await sql.run(
        `update credential set state = 'wiped', sealed = null, key_id = null, token_hash = null, wiped_at = $2
         where integration_id = $1 and state = 'candidate'`,
        [integrationId, now],
      );
    },

    /** Wipes everything of an integration that is being removed. */
    async wipeAll({ integrationId, now }: { integrationId: string; now: Date }): Promise<void> {
      await sql.run(
        `update credential set state = 'wiped', sealed = null, key_id = null, token_hash = null, wiped_at = coalesce(wiped_at, $2)
         where integration_id = $1`,
        [integrationId, now],
      );
    },
  };
}

/** Flags of tokens that passed a threshold. */
function createExpiryFlags(sql: Sql) {
  return {
    /**
     * Flags a credential once per threshold: the flag row is unique. Flags dated more than a day ahead, set by a
     * wrong clock, are replaced (see `standingFlag` in the domain).
     * @returns false when it was already flagged or is no longer current
     */
    async flag(input: { id: string; thresholdDays: number; now: Date }): Promise<boolean> {
      const added = await sql.run(
        `insert into expiry_flag as f (credential_id, threshold_days, flagged_at)
         select id, $2, $3 from credential where id = $1 and state = 'current'
         on conflict (credential_id, threshold_days) do update set flagged_at = excluded.flagged_at
           where f.flagged_at > excluded.flagged_at + interval '1 day'`,
        [input.id, input.thresholdDays, input.now],
      );
      if (added === 0) return false;
      await sql.run(
        `update credential set flagged_at = $3,
           flag = case when flagged_at > $3::timestamptz + interval '1 day' then $2 else least(coalesce(flag, $2), $2) end
         where id = $1`,
        [input.id, input.thresholdDays, input.now],
      );
      return true;
    },
  };
}
