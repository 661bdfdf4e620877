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
  const [value, setValue] = useState<string | null>(null);
  const create = async (form: HTMLFormElement) => {
    const expiresAt = utcMidnight(formField(form, 'day'));
    const json = { name: formField(form, 'name'), role, ...(expiresAt === undefined ? {} : { expiresAt }) };
    const made = await request(api['api-keys'].$post({ json }));
    void client.invalidateQueries({ queryKey: queryKeys.apiKeys });
    setValue(made.value);
  };
  if (value !== null)
    return <OneTimeSecret title="The key is made" values={valuesOf({ role, value })} onStored={onClose} />;
  const tomorrow = new Date(serverClock.now() + DAY_MS).toISOString().slice(0, 10);
  return (
    <FormDialog title="New API key" act="Create key" onSubmit={create} onClose={onClose}>
      <TextInput name="name" label="Name" required maxLength={100} autoComplete="off" data-autofocus />
      <NativeSelect
        label="Role"
        size="xs"
        description={`It ${KEY_ROLES[role].may}.`}
        value={role}
        onChange={(event) => setRole(event.currentTarget.value as ApiKey['role'])}
        data={Object.entries(KEY_ROLES).map(([of, { text }]) => ({ value: of, label: text }))}
        mt="sm"
      />
      <TextInput
        name="day"
        type="date"
        label="Ends on (optional)"
        description="At 00:00 UTC of that day. Empty: when it is revoked."
        min={tomorrow}
        mt="sm"
      />
    </FormDialog>
  );
}

function valuesOf({ role, value }: { role: ApiKey['role']; value: string }) {
  if (role !== 'calendar')
    return [
      {
        label: 'API key',
        value,
        hint: 'Sent as "Authorization: Bearer …", or given to the command line as SECU_API_KEY.',
      },
    ];
  return [
    {
      label: 'Address of the calendar',
      value: `${location.origin}/expiry.ics?key=${value}`,
      hint: 'Subscribe to it in a calendar. Whoever has the address sees names, dates and counts, nothing else.',
    },
  ];
}
