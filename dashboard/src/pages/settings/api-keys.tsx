import { Badge, Button, Table, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, request } from '../../api/api.ts';
import { queryKeys } from '../../api/query-keys.ts';
import { useHasRole } from '../../api/session.ts';
import { Confirm } from '../../parts/confirm.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, NotAllowed } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import type { ApiKey } from './api-keys/data.ts';
import { apiKeysQuery, KEY_ROLES } from './api-keys/data.ts';
import { NewKeyDialog } from './api-keys/new-key-dialog.tsx';
import { Cell, ListTable } from './list-table.tsx';
import classes from './settings.module.css';

const COLUMNS = ['Name', 'Role', 'Value', 'Made', 'Ends', 'Last used', ''] as const;

/** Keys that are not ours to end, and who holds them. */
const MANAGED: Record<Exclude<ApiKey['source'], 'api'>, string> = {
  environment: 'SECU_BOOTSTRAP_API_KEY',
  cli: 'command line',
};

export default function ApiKeysPage() {
  if (!useHasRole('admin'))
    return (
      <Page title="API keys">
        <NotAllowed roles="Administrators" />
      </Page>
    );
  return <ApiKeys />;
}

function ApiKeys() {
  const query = useQuery(apiKeysQuery);
  const [creates, setCreates] = useState(false);
  const [revoked, setRevoked] = useState<ApiKey | null>(null);
  return (
    <Page title="API keys" actions={<Button onClick={() => setCreates(true)}>New key</Button>}>
      <Text size="sm" c="dimmed" mb="md">
        For programs. A value is shown once, when its key is made; here stand its last four characters.
      </Text>
      <ListTable
        query={query}
        label="API keys"
        columns={COLUMNS}
        empty={<Empty title="There is no key." />}
        row={(key) => <KeyRow key={key.id} apiKey={key} onRevoke={() => setRevoked(key)} />}
      />
      {creates && <NewKeyDialog onClose={() => setCreates(false)} />}
      {revoked !== null && <RevokeDialog apiKey={revoked} onClose={() => setRevoked(null)} />}
    </Page>
  );
}

function KeyRow({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: () => void }) {
  const { name, role, lastFour, source, createdAt, expiresAt, lastUsedAt } = apiKey;
  return (
    <Table.Tr>
      <Cell head="Name">
        <Text size="sm" fw={600} span>
          {name}
        </Text>{' '}
        {source !== 'api' && <Badge>Managed by {MANAGED[source]}</Badge>}
      </Cell>
      <Cell head="Role">{KEY_ROLES[role].text}</Cell>
      <Cell head="Value">
        <span className={classes['code']}>…{lastFour}</span>
      </Cell>
      <Cell head="Made">
        <TimeAgo at={createdAt} />
      </Cell>
      <Cell head="Ends">
        {expiresAt === null ? <span className={classes['meta']}>Never</span> : <TimeAgo at={expiresAt} />}
      </Cell>
      <Cell head="Last used">
        {lastUsedAt === null ? <span className={classes['meta']}>Never</span> : <TimeAgo at={lastUsedAt} />}
      </Cell>
      <Cell head="">
        <div className={classes['buttons']}>
          {source === 'api' && (
            <Button
              variant="default"
              size="compact-xs"
              onClick={onRevoke}
              aria-label={`Revoke the key ${name}`}
            >
              Revoke
            </Button>
          )}
        </div>
      </Cell>
    </Table.Tr>
  );
}

function RevokeDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const client = useQueryClient();
  return (
    <Confirm
      title={`Revoke the key "${apiKey.name}"?`}
      act="Revoke key"
      keep="Keep"
      onAct={async () => {
        await request(api['api-keys'][':id'].$delete({ param: { id: apiKey.id } }));
        await client.invalidateQueries({ queryKey: queryKeys.apiKeys });
      }}
      onClose={onClose}
    >
      Requests with it fail from now on.{' '}
      {apiKey.lastUsedAt === null ? (
        'It was never used.'
      ) : (
        <>
          Last used <TimeAgo at={apiKey.lastUsedAt} />.
        </>
      )}
    </Confirm>
  );
}
