import { Button, Group, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { FormDialog } from '../../../parts/form-dialog.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import { showToast } from '../../../parts/toast.ts';
import { OneTimeSecret } from '../../settings/one-time-secret.tsx';
import type { Integration } from '../data.ts';
import { HOOK_STATE_TEXTS } from '../labels.ts';
import { SettingsSection } from './settings-section.tsx';

/** Where GitLab sends webhooks, and with which token. The token is shown once. */
export function WebhookSettings({ integration: { id, hooks } }: { integration: Integration }) {
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const isReceived = hooks.state !== 'none';
  return (
    <SettingsSection title="Webhook">
      <Text size="sm">
        With a webhook, Secu scans a push within seconds. Without one, it finds the push at the next sync.{' '}
        {HOOK_STATE_TEXTS[hooks.state]}
        {hooks.lastAt !== null && (
          <>
            {' '}
            Last received <TimeAgo at={hooks.lastAt} />.
          </>
        )}
      </Text>
      <Group gap="sm">
        <Button variant="default" onClick={() => setDialog('create')}>
          {isReceived ? 'Replace the token' : 'Set up webhook'}
        </Button>
        {isReceived && (
          <Button variant="outline" color="bad" onClick={() => setDialog('remove')}>
            Stop webhooks
          </Button>
        )}
      </Group>
      {dialog === 'create' && <CreateTokenDialog id={id} onClose={() => setDialog(null)} />}
      {dialog === 'remove' && <RemoveTokenDialog id={id} onClose={() => setDialog(null)} />}
    </SettingsSection>
  );
}

type DialogName = 'create' | 'remove';

interface TokenDialogProps {
  id: string;
  onClose: () => void;
}

function CreateTokenDialog({ id, onClose }: TokenDialogProps) {
  const [created, setCreated] = useState<{ url: string; value: string } | null>(null);
  const create = async () =>
    setCreated(await request(api.integrations[':id']['hook-token'].$post({ param: { id } })));
  if (created !== null)
    return <OneTimeSecret title="Webhook token created" values={secretsOf(created)} onStored={onClose} />;
  return (
    <FormDialog title="Create a webhook token" action="Create token" onSubmit={create} onClose={onClose}>
      <Text size="sm">An earlier token of this integration stops working at once.</Text>
    </FormDialog>
  );
}

function RemoveTokenDialog({ id, onClose }: TokenDialogProps) {
  const client = useQueryClient();
  const remove = async () => {
    await request(api.integrations[':id']['hook-token'].$delete({ param: { id } }));
    showToast('Webhooks are refused from now on.');
    void client.invalidateQueries({ queryKey: queryKeys.integration(id) });
  };
  return (
    <Confirm title="Stop webhooks?" action="Stop webhooks" onConfirm={remove} onClose={onClose}>
      Secu refuses the webhook and forgets its token. Remove the webhook in GitLab too.
    </Confirm>
  );
}

function secretsOf({ url, value }: { url: string; value: string }) {
  return [
    {
      label: 'URL',
      value: url,
      hint: 'In GitLab: Settings → Webhooks of a project or group, or Admin → System hooks.',
    },
    {
      label: 'Secret token',
      value,
      hint: 'For the field "Secret token" or, in GitLab 19.1 and newer, "Signing token". Select push, tag push and merge request events, and keep SSL verification.',
    },
  ];
}
