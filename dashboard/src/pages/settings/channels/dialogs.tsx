import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import { FormDialog } from '../../../parts/form-dialog.tsx';
import { OneTimeSecret } from '../one-time-secret.tsx';
import { ChannelFields } from './channel-form.tsx';
import type { Channel, ChannelPatch, NewChannel } from './data.ts';
import { toChannelPatch, toNewChannel } from './form-data.ts';

export function NewChannelDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [secret, setSecret] = useState<string | null>(null);
  const create = async (form: HTMLFormElement) => {
    const json = toNewChannel(new FormData(form)) as NewChannel;
    const created = await request(api.channels.$post({ json }));
    void client.invalidateQueries({ queryKey: queryKeys.channels });
    void client.invalidateQueries({ queryKey: queryKeys.overview });
    if (created.signingSecret === undefined) onClose();
    else setSecret(created.signingSecret);
  };
  if (secret !== null)
    return (
      <OneTimeSecret
        title="Channel created"
        values={[
          {
            label: 'Signing secret',
            value: secret,
            hint: 'The receiver uses it to verify the webhook-signature header (Standard Webhooks).',
          },
        ]}
        onStored={onClose}
      />
    );
  return (
    <FormDialog title="New channel" action="Create channel" size="lg" onSubmit={create} onClose={onClose}>
      <ChannelFields channel={null} />
    </FormDialog>
  );
}

export function EditChannelDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const client = useQueryClient();
  const save = async (form: HTMLFormElement) => {
    const json = toChannelPatch(new FormData(form)) as ChannelPatch;
    await request(api.channels[':id'].$patch({ param: { id: channel.id }, json }));
    await client.invalidateQueries({ queryKey: queryKeys.channels });
    onClose();
  };
  return (
    <FormDialog title={`Edit ${channel.name}`} action="Save" size="lg" onSubmit={save} onClose={onClose}>
      <ChannelFields channel={channel} />
    </FormDialog>
  );
}

export function RemoveChannelDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const client = useQueryClient();
  return (
    <Confirm
      title={`Remove the channel ${channel.name}?`}
      action="Remove channel"
      onConfirm={async () => {
        await request(api.channels[':id'].$delete({ param: { id: channel.id } }));
        await client.invalidateQueries({ queryKey: queryKeys.channels });
        void client.invalidateQueries({ queryKey: queryKeys.overview });
      }}
      onClose={onClose}
    >
      Secu stops sending alerts here. The address and the delivery log are deleted.
    </Confirm>
  );
}
