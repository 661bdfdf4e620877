import type { ChannelView } from '../../db/stores/channels.ts';
import type { DeliveryView } from '../../db/stores/deliveries.ts';
import { DELIVERY_ADVICE } from '../../domain/channel.ts';
import type { z } from '../shared.ts';
import { iso, isoOrNull } from '../shared.ts';
import type { ChannelSchema, DeliverySchema } from './schemas.ts';

export function presentChannel(view: ChannelView): z.infer<typeof ChannelSchema> {
  const { urlOrigin, urlVersion: _version, mailTo, lastDelivery, ...rest } = view;
  return {
    ...rest,
    url: urlOrigin,
    to: mailTo,
    lastDelivery: lastDelivery === null ? null : { ...lastDelivery, at: iso(lastDelivery.at) },
    createdAt: iso(view.createdAt),
    updatedAt: iso(view.updatedAt),
  };
}

export function presentDelivery(view: DeliveryView): z.infer<typeof DeliverySchema> {
  return {
    ...view,
    advice: view.cause === null ? null : DELIVERY_ADVICE[view.cause],
    nextTryAt: view.state === 'queued' ? iso(view.nextTryAt) : null,
    createdAt: iso(view.createdAt),
    finishedAt: isoOrNull(view.finishedAt),
  };
}
