import { Button, Drawer, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { formatCount } from '../../../format/labels.ts';
import { LabelBadge } from '../../../parts/badges.tsx';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { Empty, LoadingRows } from '../../../parts/states.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import classes from './channels.module.css';
import type { Channel, Delivery } from './data.ts';
import { deliveriesQuery, MAX_DELIVERIES } from './data.ts';
import { DELIVERY_STATE_LABELS, deliveryCauseText } from './labels.ts';

/** The sent and queued messages of a channel, newest first. */
export function Deliveries({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const { data, error, refetch } = useQuery(deliveriesQuery(channel.id));
  return (
    <Drawer opened onClose={onClose} position="right" size="lg" title={`Deliveries to ${channel.name}`}>
      {error !== null && <ProblemPanel error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <LoadingRows label="Loading deliveries" />}
      {data?.items.length === 0 && (
        <Empty title="No deliveries yet">
          <Text size="sm">Use Test to send a test message.</Text>
        </Empty>
      )}
      <ul className={classes['deliveries']}>
        {data?.items.map((delivery) => (
          <DeliveryRow key={delivery.id} delivery={delivery} channel={channel} />
        ))}
      </ul>
      {data?.nextCursor != null && (
        <Text size="xs" c="dimmed">
          Showing the latest {MAX_DELIVERIES}. Use the API for older deliveries.
        </Text>
      )}
    </Drawer>
  );
}

function DeliveryRow({ delivery, channel }: { delivery: Delivery; channel: Channel }) {
  const { kind, state, status, attempts, createdAt, nextTryAt } = delivery;
  const cause = deliveryCauseText(delivery.cause);
  return (
    <li className={classes['delivery']}>
      <div className={classes['line']}>
        <span className={classes['state']}>
          <LabelBadge label={DELIVERY_STATE_LABELS[state]} />
        </span>
        <span className={classes['kind']}>{kind}</span>
        <span className={classes['meta']}>
          <TimeAgo at={createdAt} />
        </span>
      </div>
      <div className={classes['meta']}>
        {[
          status === null ? null : `${channel.kind === 'email' ? 'SMTP' : 'HTTP'} ${status}`,
          formatCount(attempts, 'attempt'),
          cause === '' ? null : cause,
        ]
          .filter((part) => part !== null)
          .join(' · ')}
        {nextTryAt !== null && (
          <>
            {' · next attempt '}
            <TimeAgo at={nextTryAt} />
          </>
        )}
      </div>
      {delivery.advice !== null && state !== 'sent' && <Text size="sm">{delivery.advice}</Text>}
      {state !== 'sent' && <RetryButton delivery={delivery} channel={channel} />}
    </li>
  );
}

function RetryButton({ delivery, channel }: { delivery: Delivery; channel: Channel }) {
  const client = useQueryClient();
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const isBlocked = !channel.enabled && delivery.eventId !== null;
  const retry = async () => {
    setRunning(true);
    setError(null);
    try {
      const param = { id: channel.id, deliveryId: delivery.id };
      await request(api.channels[':id'].deliveries[':deliveryId'].retry.$post({ param }));
      await client.invalidateQueries({ queryKey: queryKeys.channels });
    } catch (err) {
      setError(err);
    } finally {
      setRunning(false);
    }
  };
  return (
    <>
      {error !== null && <ProblemPanel error={error} />}
      <Button
        variant="default"
        size="compact-xs"
        mt={4}
        loading={running}
        disabled={isBlocked}
        onClick={() => void retry()}
      >
        {isBlocked
          ? 'Send again: the channel is disabled'
          : delivery.state === 'queued'
            ? 'Send now'
            : 'Send again'}
      </Button>
    </>
  );
}
