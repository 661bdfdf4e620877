import { Webhook } from 'standardwebhooks';
import type { Notice, SendOutcome } from '../domain/channel.ts';
import { escapeForeignData, escapeForeignText } from '../domain/finding.ts';
import type { PostDeps } from './post-json.ts';
import { postJson } from './post-json.ts';

/**
 * Sends a signed webhook. The ID is that of the delivery, so that a receiver recognises a duplicate; the time is
 * that of the attempt.
 * @see Standard Webhooks 1.0: headers `webhook-id`, `webhook-timestamp`, `webhook-signature` over ID, time and
 * body
 * @throws the signal's reason on abort
 */
export async function sendWebhook(
  deps: PostDeps & { now: () => Date },
  input: { url: string; signingSecret: string; notice: Notice; signal: AbortSignal },
): Promise<SendOutcome> {
  const { notice } = input;
  const body = JSON.stringify(webhookBody(notice));
  const sentAt = deps.now();
  const headers = {
    'webhook-id': notice.id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
    'webhook-signature': new Webhook(input.signingSecret).sign(notice.id, sentAt, body),
  };
  return postJson(deps, { url: input.url, body, headers, signal: input.signal });
}

function webhookBody({ kind, at, text, event, link }: Notice): Record<string, unknown> {
  return {
    type: kind,
    timestamp: at.toISOString(),
    data: {
      eventId: event?.id ?? null,
      integrationId: event?.integrationId ?? null,
      repositoryId: event?.repositoryId ?? null,
      text: escapeForeignText(text),
      link,
      details: escapeForeignData(event?.data ?? {}),
    },
  };
}
