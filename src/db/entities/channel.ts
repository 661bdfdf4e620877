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
    /** Only events of these integrations; `null` = all. */
    integrationIds: p.json().$type<string[]>().nullable(),
    /** Only findings of this severity or higher; `null` = all. */
    minSeverity: p.string().$type<Severity>().nullable(),
    /** Recipient of mail. */
    mailTo: p.text().nullable(),
    /** The visible part of the URL: scheme, host and port. */
    urlOrigin: p.text().nullable(),
    urlSealed: p.blob().nullable(),
    urlKeyId: p.string().nullable(),
    /** Counts the URLs that the channel has had. */
    urlVersion: p.integer(),
    signingSealed: p.blob().nullable(),
    signingKeyId: p.string().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});
export class Channel extends ChannelSchema.class {}
ChannelSchema.setClass(Channel);

/** Times come from the database clock, which all workers share. */
const DeliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'delivery',
  uniques: [{ properties: ['channelId', 'eventId'] }],
  indexes: [{ properties: ['channelId', 'id'] }],
  properties: {
    id: p.string().primary(),
    channelId: p.string(),
    /** `null` for a test message. */
    eventId: p.string().nullable(),
    /** Kind of the event, or `test`. */
    kind: p.string(),
    integrationId: p.string().nullable(),
    /** How many events of one scan this message covers. */
    events: p.integer(),
    state: p.string().$type<DeliveryState>(),
    /** Only ever increases, so that the late outcome of an older attempt can be ignored. */
    attempts: p.integer(),
    /** Failed attempts since it was queued, or resent manually. */
    failures: p.integer(),
    cause: p.string().$type<DeliveryCause>().nullable(),
    status: p.integer().nullable(),
    nextTryAt: p.datetime(),
    /** Leased to a worker until then. */
    leasedUntil: p.datetime().nullable(),
    createdAt: p.datetime(),
    finishedAt: p.datetime().nullable(),
  },
});
export class Delivery extends DeliverySchema.class {}
DeliverySchema.setClass(Delivery);
