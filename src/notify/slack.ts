import type { Notice, SendOutcome } from '../domain/channel.ts';
import { escapeForeignText } from '../domain/finding.ts';
import type { PostDeps } from './post-json.ts';
import { postJson } from './post-json.ts';

/**
 * Sends one message to an incoming webhook of Slack or a compatible service (Mattermost, Rocket.Chat). Formatting
 * is off.
 * @throws the signal's reason on abort
 */
export async function sendToSlack(
  deps: PostDeps,
  { url, notice, signal }: { url: string; notice: Notice; signal: AbortSignal },
): Promise<SendOutcome> {
  const text = `${slackText(notice.text)}\n${slackText(notice.link)}`;
  const body = JSON.stringify({ text, mrkdwn: false, unfurl_links: false, unfurl_media: false });
  return postJson(deps, { url, body, signal });
}

/**
 * Escapes text so that it cannot contain links or mentions.
 * @see Slack docs, "Formatting message text": `&`, `<` and `>` must be replaced; Mattermost also accepts a bare
 * `@all`
 */
function slackText(text: string): string {
  return escapeForeignText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u2060');
}
