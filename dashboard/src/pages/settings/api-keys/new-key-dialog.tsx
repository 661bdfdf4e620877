import { NativeSelect, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { serverClock } from '../../../api/server-clock.ts';
import { FormDialog } from '../../../parts/form-dialog.tsx';
import { formField } from '../../../parts/form-field.ts';
import { OneTimeSecret } from '../one-time-secret.tsx';
import type { ApiKey } from './data.ts';
import { KEY_ROLES } from './data.ts';
import { utcMidnight } from './utc-midnight.ts';

const DAY_MS = 86_400_000;

export function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [role, setRole] = useState<ApiKey['role']>('viewer');
  const [keyValue, setKeyValue] = useState<string | null>(null);
  const create = async (form: HTMLFormElement) => {
    const expiresAt = utcMidnight(formField(form, 'day'));
    const json = { name: formField(form, 'name'), role, ...(expiresAt === undefined ? {} : { expiresAt }) };
    const created = await request(api['api-keys'].$post({ json }));
    void client.invalidateQueries({ queryKey: queryKeys.apiKeys });
    setKeyValue(created.value);
  };
  if (keyValue !== null)
    return (
      <OneTimeSecret
        title="API key created"
        values={secretsFor({ role, value: keyValue })}
        onStored={onClose}
      />
    );
  const tomorrow = new Date(serverClock.now() + DAY_MS).toISOString().slice(0, 10);
  return (
    <FormDialog title="New API key" action="Create key" onSubmit={create} onClose={onClose}>
      <TextInput name="name" label="Name" required maxLength={100} autoComplete="off" data-autofocus />
      <NativeSelect
        label="Role"
        size="xs"
        description={KEY_ROLES[role].permissions}
        value={role}
        onChange={(event) => setRole(event.currentTarget.value as ApiKey['role'])}
        data={Object.entries(KEY_ROLES).map(([value, { text }]) => ({ value, label: text }))}
        mt="sm"
      />
      <TextInput
        name="day"
        type="date"
        label="Expires on (optional)"
        description="At 00:00 UTC. Leave empty for a key that does not expire."
        min={tomorrow}
        mt="sm"
      />
    </FormDialog>
  );
}

function secretsFor({ role, value }: { role: ApiKey['role']; value: string }) {
  if (role !== 'calendar')
    return [
      {
        label: 'API key',
        value,
        hint: 'Send it as "Authorization: Bearer …", or set SECU_API_KEY for the command line.',
      },
    ];
  return [
    {
      label: 'Calendar URL',
      value: `${location.origin}/expiry.ics?key=${value}`,
      hint: 'Subscribe to it in a calendar app. Anyone with this URL can see names, dates and counts.',
    },
  ];
}
