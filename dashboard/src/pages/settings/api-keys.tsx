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

const COLUMNS = ['Name', 'Role', 'Key', 'Created', 'Expires', 'Last used', ''] as const;

/** Where keys are managed that cannot be revoked here. */
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
  const [isCreating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  return (
    <Page title="API keys" actions={<Button onClick={() => setCreating(true)}>New key</Button>}>
      <Text size="sm" c="dimmed" mb="md">
        API keys let programs use the API. A key is shown once, when it is created; the list shows its last
        four characters.
      </Text>
      <ListTable
        query={query}
        label="API keys"
        columns={COLUMNS}
        empty={<Empty title="No API keys yet" />}
        row={(key) => <KeyRow key={key.id} apiKey={key} onRevoke={() => setRevoking(key)} />}
      />
      {isCreating && <NewKeyDialog onClose={() => setCreating(false)} />}
      {revoking !== null && <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} />}
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
      <Cell head="Key">
        <span className={classes['code']}>…{lastFour}</span>
      </Cell>
      <Cell head="Created">
        <TimeAgo at={createdAt} />
      </Cell>
      <Cell head="Expires">
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
      title={`Revoke the key ${apiKey.name}?`}
      action="Revoke key"
      onConfirm={async () => {
        await request(api['api-keys'][':id'].$delete({ param: { id: apiKey.id } }));
        await client.invalidateQueries({ queryKey: queryKeys.apiKeys });
      }}
      onClose={onClose}
    >
      Requests with this key fail immediately.{' '}
      {apiKey.lastUsedAt === null ? (
        'The key has never been used.'
      ) : (
        <>
          Last used <TimeAgo at={apiKey.lastUsedAt} />.
        </>
      )}
    </Confirm>
  );
}
