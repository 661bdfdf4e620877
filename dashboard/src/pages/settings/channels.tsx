import { Button, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { useHasRole } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, NotAllowed } from '../../parts/states.tsx';
import { ChannelRow } from './channels/channel-row.tsx';
import type { Channel } from './channels/data.ts';
import { channelsQuery } from './channels/data.ts';
import { Deliveries } from './channels/deliveries.tsx';
import { EditChannelDialog, NewChannelDialog, RemoveChannelDialog } from './channels/dialogs.tsx';
import { ListTable } from './list-table.tsx';

const route = getRouteApi('/shell/settings/channels');
const COLUMNS = ['Name', 'Kind', 'Address', 'Events', 'Last delivery', ''] as const;

export default function ChannelsPage() {
  if (!useHasRole('admin'))
    return (
      <Page title="Channels">
        <NotAllowed roles="Administrators" />
      </Page>
    );
  return <Channels />;
}

type Open = { dialog: 'new' } | { dialog: 'edit' | 'remove'; channel: Channel } | null;

function Channels() {
  const query = useQuery(channelsQuery);
  const [open, setOpen] = useState<Open>(null);
  const { channel: shownId } = route.useSearch();
  const navigate = route.useNavigate();
  const shown = query.data?.find(({ id }) => id === shownId);
  const close = () => setOpen(null);
  const addButton = <Button onClick={() => setOpen({ dialog: 'new' })}>New channel</Button>;
  return (
    <Page title="Channels" actions={addButton}>
      <Text size="sm" c="dimmed" mb="md">
        Where Secu sends alerts, for example before a token expires.
      </Text>
      <ListTable
        query={query}
        label="Channels"
        columns={COLUMNS}
        empty={
          <Empty title="No channels yet">
            <Text size="sm">
              Send alerts to a webhook, Slack or an email address. Test the channel after you create it.
            </Text>
          </Empty>
        }
        row={(channel) => (
          <ChannelRow
            key={channel.id}
            channel={channel}
            actions={{
              onDeliveries: () => void navigate({ search: { channel: channel.id } }),
              onEdit: () => setOpen({ dialog: 'edit', channel }),
              onRemove: () => setOpen({ dialog: 'remove', channel }),
            }}
          />
        )}
      />
      {shown !== undefined && (
        <Deliveries channel={shown} onClose={() => void navigate({ search: {}, replace: true })} />
      )}
      {open?.dialog === 'new' && <NewChannelDialog onClose={close} />}
      {open?.dialog === 'edit' && <EditChannelDialog channel={open.channel} onClose={close} />}
      {open?.dialog === 'remove' && <RemoveChannelDialog channel={open.channel} onClose={close} />}
    </Page>
  );
}
