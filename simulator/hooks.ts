import { createHmac, randomUUID } from 'node:crypto';

import type { Project } from './world.ts';

/** A webhook as a person adds it in GitLab. */
export type Webhook = {
  url: string;
  /** Sent in `X-Gitlab-Token`. */
  token?: string | undefined;
  /** `whsec_…`: the body is signed with it. */
  signingToken?: string | undefined;
};

/** What the receiver answered. */
export type HookDelivery = { status: number; durationMs: number };

/** Sends one event of GitLab. @throws if the receiver does not answer */
export async function deliverHook({
  webhook,
  event,
  body,
  headers = {},
}: {
  webhook: Webhook;
  /** As in `X-Gitlab-Event`: `Push Hook`. */
  event: string;
  body: string;
  /** Replace or add headers. */
  headers?: Record<string, string> | undefined;
}): Promise<HookDelivery> {
  const id = randomUUID();
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const startedMs = performance.now();
  const response = await fetch(webhook.url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'User-Agent': 'GitLab/19.3.0-ee',
      'X-Gitlab-Event': event,
      'X-Gitlab-Event-UUID': randomUUID(),
      'Idempotency-Key': id,
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      ...(webhook.token !== undefined && { 'X-Gitlab-Token': webhook.token }),
      ...(webhook.signingToken !== undefined && {
        'webhook-signature': signatureOf({ token: webhook.signingToken, id, timestamp, body }),
      }),
      ...headers,
    },
    body,
  });
  await response.arrayBuffer();
  return { status: response.status, durationMs: performance.now() - startedMs };
}

/** @see GitLab docs, "Webhooks", signing token; Standard Webhooks 1.0 */
export function signatureOf(input: { token: string; id: string; timestamp: string; body: string }): string {
  const key = Buffer.from(input.token.replace('whsec_', ''), 'base64');
  const hmac = createHmac('sha256', key).update(`${input.id}.${input.timestamp}.${input.body}`);
  return `v1,${hmac.digest('base64')}`;
}

/** The body of a push, with the fields of GitLab that say where it was. */
export function pushBody(input: { project: Project; commit: string; branch: string }): string {
  const { project, commit, branch } = input;
  return JSON.stringify({
    object_kind: 'push',
    event_name: 'push',
    before: '0'.repeat(40),
    after: commit,
    ref: `refs/heads/${branch}`,
    checkout_sha: commit,
    user_username: 'jsmith',
    project_id: project.id,
    project: {
      id: project.id,
      name: project.path.split('/').at(-1),
      path_with_namespace: project.path,
      default_branch: project.defaultBranch,
    },
    commits: [{ id: commit, message: 'Change', added: [], modified: [], removed: [] }],
    total_commits_count: 1,
  });
}
