import { defineEntity, p } from '@mikro-orm/core';
import type { ChannelKind, DeliveryCause, DeliveryState } from '../../domain/channel.ts';
import type { EventKind } from '../../domain/event.ts';
import type { Severity } from '../../domain/finding.ts';

const ChannelSchema = defineEntity({
  name: 'Channel',
  tableName: 'channel',
  properties: {
    id: p.string().primary(),
    kind: p.string().$type<ChannelKind>(),
    name: p.text(),
    enabled: p.boolean(),
    /** Why Secu switched it off; `null` where a person did, or where it is on. */
    offCause: p.string().$type<DeliveryCause>().nullable(),
    /** Kinds of events that it is notified of. */
    events: p.json().$type<EventKind[]>(),
    /** Only of these integrations; `null`: of all. */
    integrationIds: p.json().$type<string[]>().nullable(),
    /** Of findings, only from this severity up; `null`: of all. */
    minSeverity: p.string().$type<Severity>().nullable(),
    /** Recipient of mail. */
    mailTo: p.text().nullable(),
    /** What is shown of the address: scheme, host and port. */
    urlOrigin: p.text().nullable(),
    urlSealed: p.blob().nullable(),
    urlKeyId: p.string().nullable(),
    /** Counts the addresses that it has had. */
    urlVersion: p.integer(),
    signingSealed: p.blob().nullable(),
    signingKeyId: p.string().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});
export class Channel extends ChannelSchema.class {}
ChannelSchema.setClass(Channel);

/** Moments are of the database's clock, which all workers share. */
const DeliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'delivery',
  uniques: [{ properties: ['channelId', 'eventId'] }],
  indexes: [{ properties: ['channelId', 'id'] }],
  properties: {
    id: p.string().primary(),
    channelId: p.string(),
    /** `null`: a test message. */
    eventId: p.string().nullable(),
    /** Kind of the event, or `test`. */
    kind: p.string(),
    integrationId: p.string().nullable(),
    /** How many events of one scan this message is about. */
    events: p.integer(),
    state: p.string().$type<DeliveryState>(),
    /** Counts on for ever: an attempt that comes back late is known by it. */
    attempts: p.integer(),
    /** Attempts that failed since it was queued, or queued again by hand. */
    failures: p.integer(),
    cause: p.string().$type<DeliveryCause>().nullable(),
    status: p.integer().nullable(),
    nextTryAt: p.datetime(),
    /** A worker has it until then. */
    leasedUntil: p.datetime().nullable(),
    createdAt: p.datetime(),
    finishedAt: p.datetime().nullable(),
  },
});
export class Delivery extends DeliverySchema.class {}
DeliverySchema.setClass(Delivery);
