import type { Notice, SendOutcome } from '../domain/channel.ts';
import { escapeForeignText } from '../domain/finding.ts';
import type { PostDeps } from './post-json.ts';
import { postJson } from './post-json.ts';

/**
 * One message to an incoming webhook of Slack, or of what takes the same (Mattermost, Rocket.Chat). Formatting is off.
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
 * Text that nothing in it turns into a link or a call of everybody.
 * @see Slack docs, "Formatting message text": `&`, `<` and `>` are to be replaced; Mattermost takes a bare `@all` too
 */
function slackText(text: string): string {
  return escapeForeignText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '@\u2060');
}
