import { Button, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useHasRole } from '../../../api/session.ts';
import { formatCount } from '../../../format/labels.ts';
import { useRowShortcuts } from '../../../keyboard/row-shortcuts.ts';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import type { Integration } from '../data.ts';
import { hostOf, OWNER_KIND_TEXTS } from '../labels.ts';
import { StatusBadge, Unreachable } from '../shared/status.tsx';
import { SyncState } from '../shared/sync-state.tsx';
import { TokenLifetime } from '../shared/token-lifetime.tsx';
import { useVerify } from '../use-verify.ts';
import classes from './integration-table.module.css';

const HEADS = ['Name', 'Status', 'Owner', 'Expiry', 'Repositories', 'Last sync', 'Next check'] as const;

export function IntegrationTable({
  page,
  isStale,
}: {
  page: { items: Integration[]; nextCursor: string | null };
  isStale: boolean;
}) {
  const { verify, isRunning } = useVerify();
  const mayVerify = useHasRole('operator');
  const list = useRowShortcuts<HTMLTableElement>(mayVerify ? { v: verify } : {});
  return (
    <>
      <table ref={list} aria-label="Integrations" aria-busy={isStale} className={classes['table']}>
        <thead className={classes['head']}>
          <tr className={classes['row']}>
            {HEADS.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
            {mayVerify && <th scope="col">Verify</th>}
          </tr>
        </thead>
        <tbody>
          {page.items.map((integration) => (
            <Row
              key={integration.id}
              integration={integration}
              verify={
                mayVerify && (
                  <Button
                    variant="default"
                    loading={isRunning(integration.id)}
                    onClick={() => verify(integration.id)}
                    aria-label={`Verify ${integration.name}`}
                  >
                    Verify
                  </Button>
                )
              }
            />
          ))}
        </tbody>
      </table>
      {page.nextCursor !== null && (
        <Text size="sm" c="dimmed" mt="md">
          Showing the first {page.items.length}. Use the search to find others.
        </Text>
      )}
    </>
  );
}

function Row({ integration, verify }: { integration: Integration; verify: ReactNode }) {
  const { id, name, baseUrl, token, counts, sync, nextVerifyAt } = integration;
  return (
    <tr data-row={id} className={classes['row']}>
      <td data-cell="name">
        <Link to="/integrations/$id" params={{ id }} className={classes['name']}>
          {name}
        </Link>
        <span className={classes['sub']}>{hostOf(baseUrl)}</span>
      </td>
      <td data-cell="status">
        <StatusBadge integration={integration} />
        <Unreachable integration={integration} />
      </td>
      <td data-cell="owner">
        {token === null ? (
          <span className={classes['sub']}>Unknown</span>
        ) : (
          <>
            <span className={classes['cut']} title={token.owner.username ?? undefined}>
              {token.owner.username ?? '–'}
            </span>
            <span className={classes['sub']}>{OWNER_KIND_TEXTS[token.owner.kind]}</span>
          </>
        )}
      </td>
      <td data-cell="life">{token !== null && <TokenLifetime token={token} cause={integration.cause} />}</td>
      <td data-cell="repositories">
        {counts.repositories.toLocaleString('en')}
        <span className={classes['unit']}> {counts.repositories === 1 ? 'repository' : 'repositories'}</span>
        {counts.openFindings > 0 && (
          <span className={classes['sub']}>{formatCount(counts.openFindings, 'finding')}</span>
        )}
      </td>
      <td data-cell="sync">
        <SyncState sync={sync} bare />
      </td>
      <td data-cell="next">{nextVerifyAt === null ? '–' : <TimeAgo at={nextVerifyAt} />}</td>
      {verify !== false && <td data-cell="verify">{verify}</td>}
    </tr>
  );
}
