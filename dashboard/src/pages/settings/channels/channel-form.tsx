import { Checkbox, Fieldset, NativeSelect, Switch, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { integrationNamesQuery } from '../../../api/integration-names.ts';
import { SEVERITIES, SEVERITY_LABELS } from '../../../format/labels.ts';
import classes from '../settings.module.css';
import type { Channel } from './data.ts';
import { CHANNEL_EVENT_TEXTS, CHANNEL_EVENTS, CHANNEL_KIND_TEXTS, DEFAULT_CHANNEL_EVENTS } from './labels.ts';

/** The fields of a channel, prefilled when it exists. */
export function ChannelFields({ channel }: { channel: Channel | null }) {
  const [kind, setKind] = useState<Channel['kind']>(channel?.kind ?? 'webhook');
  return (
    <>
      {channel === null ? (
        <NativeSelect
          name="kind"
          label="Kind"
          size="xs"
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value as Channel['kind'])}
          data={Object.entries(CHANNEL_KIND_TEXTS).map(([value, label]) => ({ value, label }))}
        />
      ) : (
        <Switch
          name="enabled"
          size="xs"
          label="Enabled"
          description="Disabling a channel cancels its queued deliveries."
          defaultChecked={channel.enabled}
        />
      )}
      <TextInput
        name="name"
        label="Name"
        defaultValue={channel?.name}
        required
        maxLength={100}
        autoComplete="off"
        mt="sm"
        data-autofocus
      />
      <AddressField kind={kind} channel={channel} />
      <EventFields channel={channel} />
      <IntegrationFields channel={channel} />
    </>
  );
}

function AddressField({ kind, channel }: { kind: Channel['kind']; channel: Channel | null }) {
  if (kind === 'email')
    return (
      <TextInput
        name="to"
        type="email"
        label="Recipient"
        description={
          channel === null ? 'Requires a mail server: set SECU_SMTP_URL and SECU_SMTP_FROM.' : undefined
        }
        defaultValue={channel?.to ?? ''}
        required
        mt="sm"
      />
    );
  return (
    <TextInput
      name="url"
      type="url"
      label="URL"
      description={
        channel === null
          ? `${kind === 'slack' ? 'An incoming webhook of Slack, Mattermost or Rocket.Chat.' : 'Messages are signed (Standard Webhooks).'} The URL is stored encrypted; only its origin is shown later.`
          : `Leave empty to keep the current URL (${channel.url ?? 'hidden'}).`
      }
      placeholder="https://hooks.example.com/secu"
      required={channel === null}
      autoComplete="off"
      spellCheck={false}
      mt="sm"
    />
  );
}

function EventFields({ channel }: { channel: Channel | null }) {
  const chosen = new Set(channel?.events ?? DEFAULT_CHANNEL_EVENTS);
  return (
    <Fieldset legend="Events" mt="md" p="sm">
      <div className={classes['choices']}>
        {CHANNEL_EVENTS.map((kind) => (
          <Checkbox
            key={kind}
            name="events"
            value={kind}
            size="xs"
            className={classes['choice'] ?? ''}
            defaultChecked={chosen.has(kind)}
            label={
              <>
                <span className={classes['code']}>{kind}</span>{' '}
                <span className={classes['meta']}>{CHANNEL_EVENT_TEXTS[kind]}</span>
              </>
            }
          />
        ))}
      </div>
      <NativeSelect
        name="minSeverity"
        size="xs"
        label="Findings"
        defaultValue={channel?.minSeverity ?? ''}
        data={[
          { value: '', label: 'All severities' },
          ...SEVERITIES.filter((severity) => severity !== 'low').map((severity) => ({
            value: severity,
            label: severity === 'critical' ? 'Critical only' : `${SEVERITY_LABELS[severity].text} or higher`,
          })),
        ]}
        mt="sm"
      />
    </Fieldset>
  );
}

function IntegrationFields({ channel }: { channel: Channel | null }) {
  const { data } = useQuery(integrationNamesQuery);
  const [isLimited, setLimited] = useState(channel?.integrationIds != null);
  const chosen = new Set(channel?.integrationIds);
  return (
    <Fieldset legend="Integrations" mt="md" p="sm">
      <Checkbox
        size="xs"
        label="All integrations, including future ones"
        checked={!isLimited}
        onChange={(event) => setLimited(!event.currentTarget.checked)}
      />
      {isLimited && data?.length === 0 && <Text size="sm">No integrations yet.</Text>}
      {isLimited && data !== undefined && data.length > 0 && (
        <div className={classes['choices']}>
          {data.map(({ id, name }) => (
            <Checkbox
              key={id}
              name="integrationIds"
              value={id}
              size="xs"
              className={classes['choice'] ?? ''}
              defaultChecked={chosen.has(id)}
              label={name}
            />
          ))}
        </div>
      )}
    </Fieldset>
  );
}
