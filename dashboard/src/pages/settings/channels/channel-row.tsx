import { Alert, Button, Table, Text, Tooltip } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { formatCount, SEVERITY_LABELS } from '../../../format/labels.ts';
import { LabelBadge } from '../../../parts/badges.tsx';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import { Cell } from '../list-table.tsx';
import { RowMenu } from '../row-menu.tsx';
import classes from '../settings.module.css';
import type { Channel, Delivery } from './data.ts';
import { CHANNEL_KIND_TEXTS, DELIVERY_STATE_LABELS, deliveryCauseText, summarizeEvents } from './labels.ts';

export interface ChannelActs {
  onDeliveries: () => void;
  onEdit: () => void;
  onRemove: () => void;
}

export function ChannelRow({ channel, acts }: { channel: Channel; acts: ChannelActs }) {
  const [tested, setTested] = useState<{ delivery?: Delivery; error?: unknown } | null>(null);
  return (
    <>
      <Table.Tr>
        <Cell head="Name">
          <Text size="sm" fw={600} span>
            {channel.name}
          </Text>{' '}
          {!channel.enabled && (
            <LabelBadge
              word={{ text: 'Off', hue: 'neutral' }}
              suffix={channel.offCause === null ? '' : `: ${deliveryCauseText(channel.offCause)}`}
            />
          )}
        </Cell>
        <Cell head="Kind">{CHANNEL_KIND_TEXTS[channel.kind]}</Cell>
        <Cell head="Where">{channel.kind === 'email' ? channel.to : channel.url}</Cell>
        <Cell head="Told of">
          <SubscribedEvents channel={channel} />
        </Cell>
        <Cell head="Last delivery">
          <LastDelivery channel={channel} />
        </Cell>
        <Cell head="">
          <div className={classes['buttons']}>
            <TestButton channel={channel} onTested={setTested} />
            <Button
              variant="default"
              size="compact-xs"
              onClick={acts.onDeliveries}
              aria-label={`Deliveries to ${channel.name}`}
            >
              Deliveries
            </Button>
            <RowMenu
              label={`More for ${channel.name}`}
              acts={[
                { text: 'Edit', onClick: acts.onEdit },
                { text: 'Remove', onClick: acts.onRemove, danger: true },
              ]}
            />
          </div>
        </Cell>
      </Table.Tr>
      {tested !== null && (
        <Table.Tr>
          <Table.Td colSpan={6}>
            <TestResult {...tested} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

function SubscribedEvents({ channel }: { channel: Channel }) {
  const { integrationIds, minSeverity, events } = channel;
  const limits = [
    integrationIds === null ? null : `of ${formatCount(integrationIds.length, 'integration')}`,
    minSeverity === null ? null : `findings from ${SEVERITY_LABELS[minSeverity].text.toLowerCase()} up`,
  ].filter((limit) => limit !== null);
  return (
    <div>
      <Tooltip label={events.join(', ')} multiline w={320}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the kinds have to be reachable by keyboard */}
        <span tabIndex={0}>{summarizeEvents(events)}</span>
      </Tooltip>
      {limits.length > 0 && <div className={classes['meta']}>{limits.join(', ')}</div>}
    </div>
  );
}

function LastDelivery({ channel: { lastDelivery } }: { channel: Channel }) {
  if (lastDelivery === null) return <span className={classes['meta']}>None yet</span>;
  const { state, cause, at } = lastDelivery;
  return (
    <div>
      <LabelBadge
        word={DELIVERY_STATE_LABELS[state]}
        suffix={cause === null ? '' : `: ${deliveryCauseText(cause)}`}
      />{' '}
      <span className={classes['meta']}>
        <TimeAgo at={at} />
      </span>
    </div>
  );
}

function TestButton({
  channel,
  onTested,
}: {
  channel: Channel;
  onTested: (tested: { delivery?: Delivery; error?: unknown }) => void;
}) {
  const client = useQueryClient();
  const [running, setRunning] = useState(false);
  const test = async () => {
    setRunning(true);
    try {
      onTested({ delivery: await request(api.channels[':id'].test.$post({ param: { id: channel.id } })) });
      void client.invalidateQueries({ queryKey: queryKeys.channels });
    } catch (error) {
      onTested({ error });
    } finally {
      setRunning(false);
    }
  };
  return (
    <Button
      variant="default"
      size="compact-xs"
      loading={running}
      onClick={() => void test()}
      aria-label={`Test ${channel.name}`}
    >
      Test
    </Button>
  );
}

/** What came of a test, where it was asked for. */
function TestResult({ delivery, error }: { delivery?: Delivery; error?: unknown }) {
  if (delivery === undefined) return <ProblemPanel error={error} />;
  const { state, status, cause, advice } = delivery;
  const answered = status === null ? '' : ` The answer was ${status}.`;
  if (state === 'sent')
    return (
      <Alert color="ok" role="status" my="sm">
        The test message was taken.{answered} See whether it arrived.
      </Alert>
    );
  if (state === 'queued')
    return (
      <Alert color="info" role="status" my="sm">
        The test message still waits for a worker; Deliveries shows what becomes of it.
      </Alert>
    );
  return (
    <Alert
      color="bad"
      role="alert"
      my="sm"
      title={`The test message did not arrive: ${deliveryCauseText(cause)}`}
    >
      {advice}
      {answered}
    </Alert>
  );
}
