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

export interface ChannelActions {
  onDeliveries: () => void;
  onEdit: () => void;
  onRemove: () => void;
}

export function ChannelRow({ channel, actions }: { channel: Channel; actions: ChannelActions }) {
  const [testResult, setTestResult] = useState<{ delivery?: Delivery; error?: unknown } | null>(null);
  return (
    <>
      <Table.Tr>
        <Cell head="Name">
          <Text size="sm" fw={600} span>
            {channel.name}
          </Text>{' '}
          {!channel.enabled && (
            <LabelBadge
              label={{ text: 'Disabled', hue: 'neutral' }}
              suffix={channel.offCause === null ? '' : `: ${deliveryCauseText(channel.offCause)}`}
            />
          )}
        </Cell>
        <Cell head="Kind">{CHANNEL_KIND_TEXTS[channel.kind]}</Cell>
        <Cell head="Address">{channel.kind === 'email' ? channel.to : channel.url}</Cell>
        <Cell head="Events">
          <SubscribedEvents channel={channel} />
        </Cell>
        <Cell head="Last delivery">
          <LastDelivery channel={channel} />
        </Cell>
        <Cell head="">
          <div className={classes['buttons']}>
            <TestButton channel={channel} onTested={setTestResult} />
            <Button
              variant="default"
              size="compact-xs"
              onClick={actions.onDeliveries}
              aria-label={`Deliveries to ${channel.name}`}
            >
              Deliveries
            </Button>
            <RowMenu
              label={`More actions for ${channel.name}`}
              actions={[
                { text: 'Edit', onClick: actions.onEdit },
                { text: 'Remove', onClick: actions.onRemove, danger: true },
              ]}
            />
          </div>
        </Cell>
      </Table.Tr>
      {testResult !== null && (
        <Table.Tr>
          <Table.Td colSpan={6}>
            <TestResult {...testResult} />
          </Table.Td>
        </Table.Tr>
      )}
    </>
  );
}

function SubscribedEvents({ channel }: { channel: Channel }) {
  const { integrationIds, minSeverity, events } = channel;
  const limits = [
    integrationIds === null ? null : formatCount(integrationIds.length, 'integration'),
    minSeverity === null ? null : `severity ${SEVERITY_LABELS[minSeverity].text.toLowerCase()} or higher`,
  ].filter((limit) => limit !== null);
  return (
    <div>
      <Tooltip label={events.join(', ')} multiline w={320}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the event list must be reachable by keyboard */}
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
        label={DELIVERY_STATE_LABELS[state]}
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

/** The result of a test, below the row. */
function TestResult({ delivery, error }: { delivery?: Delivery; error?: unknown }) {
  if (delivery === undefined) return <ProblemPanel error={error} />;
  const { state, status, cause, advice } = delivery;
  const answered = status === null ? '' : ` The receiver answered ${status}.`;
  if (state === 'sent')
    return (
      <Alert color="ok" role="status" my="sm">
        The test message was accepted.{answered} Check that it arrived.
      </Alert>
    );
  if (state === 'queued')
    return (
      <Alert color="info" role="status" my="sm">
        The test message is queued. Deliveries shows the result.
      </Alert>
    );
  return (
    <Alert color="bad" role="alert" my="sm" title={`Test failed: ${deliveryCauseText(cause)}`}>
      {advice}
      {answered}
    </Alert>
  );
}
