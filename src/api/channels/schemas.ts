import type { ChannelEventKind } from '../../domain/channel.ts';
import {
  CHANNEL_EVENT_KINDS,
  CHANNEL_KINDS,
  DELIVERY_CAUSES,
  DELIVERY_STATES,
  TEST_MESSAGE_KIND,
  URL_CHANNEL_KINDS,
} from '../../domain/channel.ts';
import { SEVERITIES } from '../../domain/finding.ts';
import { Secret } from '../../domain/secret.ts';
import { givenName, z } from '../shared.ts';

const MAX_URL = 2_000;
const MAX_ADDRESS = 254;
const MAX_INTEGRATIONS = 200;

/** A URL that is itself a secret, as Slack's are: write-only, and only its origin is shown. */
const url = z
  .string()
  .max(MAX_URL)
  .transform((text, ctx) => {
    const parsed = URL.canParse(text) ? new URL(text) : null;
    const bad = urlProblem(parsed);
    if (parsed === null || bad !== null) {
      ctx.addIssue({
        code: 'custom',
        message: bad ?? 'not a URL; for example https://hooks.example.com/secu',
      });
      return z.NEVER;
    }
    return { secret: new Secret(parsed.href), origin: parsed.origin };
  })
  .openapi({
    type: 'string',
    writeOnly: true,
    maxLength: MAX_URL,
    example: 'https://hooks.example.com/secu',
  });

export type GivenAddress = z.infer<typeof url>;

function urlProblem(parsed: URL | null): string | null {
  if (parsed === null) return 'not a URL; for example https://hooks.example.com/secu';
  if (!/^https?:$/.test(parsed.protocol)) return 'must start with https://';
  if (parsed.username !== '' || parsed.password !== '') return 'must not contain a user name or password';
  if (parsed.hash !== '') return 'must not contain a fragment';
  return null;
}

const to = z.email().max(MAX_ADDRESS).openapi({ example: 'platform-team@example.com' });

const eventKind = z.enum(CHANNEL_EVENT_KINDS as [ChannelEventKind, ...ChannelEventKind[]]);

const events = z
  .array(eventKind)
  .min(1)
  .transform((kinds) => [...new Set(kinds)])
  .openapi({
    description: 'Event kinds; default: token problems that need a person, and the brake',
  });
const integrationIds = z
  .array(z.string().max(100))
  .min(1)
  .max(MAX_INTEGRATIONS)
  .openapi({ description: 'Only events of these integrations; default: all' });
const minSeverity = z
  .enum(SEVERITIES)
  .openapi({ description: 'Only findings of this severity or higher; default: all' });

const choices = {
  name: givenName,
  events: events.optional(),
  integrationIds: integrationIds.nullable().optional(),
  minSeverity: minSeverity.nullable().optional(),
};

export const NewChannel = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(URL_CHANNEL_KINDS), url, ...choices }),
    z.strictObject({ kind: z.literal('email'), to, ...choices }),
  ])
  .openapi('NewChannel');

export const ChannelPatch = z
  .strictObject({
    ...choices,
    name: givenName.optional(),
    enabled: z.boolean().optional(),
    url: url.optional(),
    to: to.optional(),
  })
  .openapi('ChannelPatch');

const attempt = {
  state: z.enum(DELIVERY_STATES),
  cause: z.enum(DELIVERY_CAUSES).nullable(),
  status: z.int().nullable().openapi({ description: 'HTTP or SMTP status of the receiver' }),
};

export const ChannelSchema = z
  .object({
    id: z.string(),
    kind: z.enum(CHANNEL_KINDS),
    name: z.string(),
    enabled: z.boolean(),
    offCause: z.enum(DELIVERY_CAUSES).nullable().openapi({ description: 'Why Secu switched it off' }),
    url: z.string().nullable().openapi({ description: 'Origin of the URL; the rest is sealed' }),
    to: z.string().nullable(),
    events: z.array(eventKind),
    integrationIds: z.array(z.string()).nullable(),
    minSeverity: z.enum(SEVERITIES).nullable(),
    lastDelivery: z.object({ id: z.string(), at: z.iso.datetime(), ...attempt }).nullable(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('Channel');

export const DeliverySchema = z
  .object({
    id: z.string().openapi({ description: 'Sent as `webhook-id`, and in the `Message-ID` of a mail' }),
    channelId: z.string(),
    eventId: z.string().nullable(),
    kind: z.string().openapi({ description: `Kind of the event, or \`${TEST_MESSAGE_KIND}\`` }),
    integrationId: z.string().nullable(),
    ...attempt,
    advice: z.string().nullable(),
    attempts: z.int(),
    nextTryAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .openapi('Delivery');
