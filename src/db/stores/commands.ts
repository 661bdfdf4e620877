import { z } from 'zod';
import { INVALID_CAUSES, REACHABILITY_CAUSES } from '../../domain/causes.ts';
import type {
  CommandCompletion,
  CommandKind,
  CommandPayloads,
  CommandResults,
  NewCommand,
} from '../../domain/command.ts';
import { SecuError } from '../../domain/errors.ts';
import { VERDICTS } from '../../domain/integration.ts';
import { ROTATION_FAILURES } from '../../domain/rotation.ts';
import { newId } from '../new-id.ts';
import type { Sql } from '../sql.ts';
import { jsonText } from '../sql.ts';

const PAYLOADS = {
  verify: z.object({}),
  replace_token: z.object({ credentialId: z.string(), acceptLoss: z.boolean(), by: z.string().optional() }),
  rotate: z.object({ force: z.boolean(), expiresAt: z.iso.date().optional(), by: z.string().optional() }),
} satisfies { [Kind in CommandKind]: z.ZodType<CommandPayloads[Kind]> };

const RESULTS = {
  verify: z.object({ verdict: z.enum([...VERDICTS, 'rotation_in_doubt', 'internal']) }),
  replace_token: z.union([
    z.object({
      code: z.literal('reach_shrinks'),
      known: z.number(),
      lost: z.number(),
      owner: z.object({ before: z.string().nullable(), after: z.string().nullable() }),
    }),
    z.object({ code: z.literal('ok') }),
    z.object({ code: z.enum([...INVALID_CAUSES, ...REACHABILITY_CAUSES, 'not_found', 'internal']) }),
  ]),
  rotate: z.object({ code: z.enum(['ok', 'in_doubt', ...ROTATION_FAILURES]) }),
} satisfies { [Kind in CommandKind]: z.ZodType<CommandResults[Kind]> };

export interface ClaimedCommand {
  id: string;
  kind: CommandKind;
  requestId: string | null;
}

export interface CommandRow<Kind extends CommandKind> {
  id: string;
  kind: Kind;
  payload: CommandPayloads[Kind];
  state: 'queued' | 'claimed' | 'done';
  /** `null` until it is done. */
  result: CommandResults[Kind] | null;
  requestId: string | null;
}

interface StoredCommand {
  id: string;
  kind: string;
  payload: unknown;
  state: 'queued' | 'claimed' | 'done';
  result: unknown;
  requestId: string | null;
}

/** Commands of people to an integration. Claimed and finished by compare-and-swap, so that nothing runs twice. */
export function createCommandStore(sql: Sql) {
  return {
    ...createCommandClaims(sql),
    ...createCommandReads(sql),
  };
}

/** The course of a command: added, claimed, finished. */
function createCommandClaims(sql: Sql) {
  return {
    async add(
      input: NewCommand & {
        integrationId: string;
        /** Id of the request that caused it. */
        requestId?: string;
        now: Date;
      },
    ): Promise<string> {
      const id = newId('command');
      const payload = input.kind === 'verify' ? {} : input.payload;
      await sql.run(
        `insert into command (id, integration_id, kind, payload, state, created_at, request_id) values ($1, $2, $3, $4, 'queued', $5, $6)`,
        [id, input.integrationId, input.kind, jsonText(payload), input.now, input.requestId ?? null],
      );
      return id;
    },

    /** The oldest unfinished command, claimed: a second claim by the same workflow finds it again after a crash. */
    async claimOldest({
      integrationId,
      now,
    }: {
      integrationId: string;
      now: Date;
    }): Promise<ClaimedCommand | null> {
      return sql.first<ClaimedCommand>(
        `update command set state = 'claimed', claimed_at = coalesce(claimed_at, $2)
         where id = (select id from command where integration_id = $1 and state <> 'done' order by id limit 1)
         returning id, kind, request_id as "requestId"`,
        [integrationId, now],
      );
    },

    /** @returns false when it was finished before */
    async finish(input: CommandCompletion & { id: string; now: Date }): Promise<boolean> {
      const changed = await sql.run(
        `update command set state = 'done', done_at = $4, result = $3 where id = $1 and kind = $2 and state <> 'done'`,
        [input.id, input.kind, jsonText(input.result), input.now],
      );
      return changed === 1;
    },
  };
}

/** Reads commands. */
function createCommandReads(sql: Sql) {
  return {
    /** Integrations with a command that was queued before this time. */
    async waitingIntegrations(before: Date): Promise<string[]> {
      const rows = await sql.rows<{ integration_id: string }>(
        `select distinct integration_id from command where state <> 'done' and created_at < $1`,
        [before],
      );
      return rows.map((row) => row.integration_id);
    },

    /** The open command of this kind, which a new request joins. */
    async openOf(input: { integrationId: string; kind: CommandKind }): Promise<string | null> {
      const row = await sql.first<{ id: string }>(
        `select id from command where integration_id = $1 and kind = $2 and state <> 'done' order by id limit 1`,
        [input.integrationId, input.kind],
      );
      return row?.id ?? null;
    },

    /** @throws SecuError `internal` when the row does not match its kind */
    async find<Kind extends CommandKind>(input: {
      id: string;
      kind: Kind;
    }): Promise<CommandRow<Kind> | null> {
      const row = await sql.first<StoredCommand>(
        `select id, kind, payload, state, result, request_id as "requestId" from command where id = $1 and kind = $2`,
        [input.id, input.kind],
      );
      return row === null ? null : parseCommand(row, input.kind);
    },
  };
}

function parseCommand<Kind extends CommandKind>(row: StoredCommand, kind: Kind): CommandRow<Kind> {
  const payloads: { [K in CommandKind]: z.ZodType<CommandPayloads[K]> } = PAYLOADS;
  const results: { [K in CommandKind]: z.ZodType<CommandResults[K]> } = RESULTS;
  const payload = payloads[kind].safeParse(row.payload);
  const result = row.result === null ? null : results[kind].safeParse(row.result);
  if (!payload.success || result?.success === false)
    throw new SecuError('internal', `the command ${row.id} holds what its kind ${kind} does not have`);
  return { ...row, kind, payload: payload.data, result: result?.data ?? null };
}
