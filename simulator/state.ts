import { readFile, rename, writeFile } from 'node:fs/promises';

import { z } from 'zod';

import type { World } from './world.ts';

const GranularScope = z.object({
  access: z.enum(['user', 'instance', 'all_memberships', 'personal_projects', 'selected_memberships']),
  permissions: z.array(z.string()),
  projectIds: z.array(z.number()).optional(),
});
const State = z.object({
  nextId: z.object({ user: z.number(), token: z.number() }),
  users: z.array(
    z.object({
      id: z.number(),
      username: z.string(),
      name: z.string(),
      kind: z.enum(['human', 'service_account', 'group_token_bot', 'project_token_bot']),
      state: z.enum(['active', 'blocked', 'terms']),
      createdAt: z.coerce.date(),
      member: z.boolean(),
    }),
  ),
  tokens: z.array(
    z.object({
      id: z.number(),
      secret: z.string(),
      kind: z.enum(['personal', 'oauth', 'deploy']),
      name: z.string(),
      description: z.string().nullable(),
      scopes: z.array(z.string()),
      granular: z.array(GranularScope).nullable(),
      listsGranularScopes: z.boolean(),
      fields: z.enum(['current', 'before_17_7']),
      userId: z.number(),
      createdAt: z.coerce.date(),
      expiresAt: z.string().nullable(),
      lastUsedAt: z.coerce.date().nullable(),
      revoked: z.boolean(),
      family: z.number(),
    }),
  ),
});

/** Writes users and tokens, so that a later start accepts the tokens of this one. */
export async function saveState(world: World, file: string): Promise<void> {
  const { user, token } = world.nextId;
  const state = {
    nextId: { user, token },
    users: [...world.users.values()],
    tokens: [...world.tokens.values()],
  };
  await writeFile(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/**
 * Restores what `saveState` wrote, if the file exists.
 * @throws Error when the file has another format
 */
export async function loadState(world: World, file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return;
  const state = State.parse(JSON.parse(text));
  Object.assign(world.nextId, state.nextId);
  for (const user of state.users) world.users.set(user.id, user);
  for (const token of state.tokens) world.tokens.set(token.id, token);
}
