import { Alert, Button, Group, List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, request } from '../../../api/api.ts';
import { queryKeys } from '../../../api/query-keys.ts';
import { useHasRole } from '../../../api/session.ts';
import { causeTitle, formatCount } from '../../../format/labels.ts';
import { useNow } from '../../../format/time.ts';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import type { Integration } from '../data.ts';
import { outageText, statusLabel, syncLabel } from '../labels.ts';
import type { DialogName } from './dialog-props.ts';
import { useIntegrationActions } from './use-integration-actions.ts';

interface Props {
  integration: Integration;
  open: (dialog: DialogName) => void;
}

/** Problems of the integration, each with the action that resolves it. */
export function Banners({ integration, open }: Props) {
  const { status, sync } = integration;
  return (
    <>
      {status === 'pending' && <Pending />}
      {status === 'invalid' && <Invalid integration={integration} open={open} />}
      {status === 'paused' && <Paused integration={integration} />}
      <Outage integration={integration} />
      {sync.cause === 'brake_engaged' ? (
        <RemovalReview integration={integration} />
      ) : (
        <SyncProblem sync={sync} />
      )}
    </>
  );
}

function Banner({ hue, title, children }: { hue: string; title: string; children: ReactNode }) {
  return (
    <Alert color={hue} title={title} mb="md">
      {children}
    </Alert>
  );
}

function Pending() {
  return (
    <Banner hue="info" title="Checking with GitLab">
      <List size="sm">
        <List.Item>Secu checks the token: owner, scopes and expiry date.</List.Item>
        <List.Item>Then it lists the repositories, and clones and scans each one.</List.Item>
      </List>
      <Text size="sm">This page updates automatically.</Text>
    </Banner>
  );
}

function Invalid({ integration, open }: Props) {
  const mayReplace = useHasRole('operator');
  const { advice, cause, lastVerifiedAt } = integration;
  return (
    <Banner hue="bad" title={statusLabel(integration).text}>
      <Text size="sm">{advice ?? <>Cause: {causeTitle(cause)}</>}</Text>
      <Group gap="sm" mt="sm">
        {mayReplace ? (
          <Button onClick={() => open('replace')}>Replace token</Button>
        ) : (
          <Text size="sm">An operator or administrator can replace the token.</Text>
        )}
        {lastVerifiedAt !== null && (
          <Text size="xs" c="dimmed">
            Verified <TimeAgo at={lastVerifiedAt} />. Existing findings are kept.
          </Text>
        )}
      </Group>
    </Banner>
  );
}

function Paused({ integration }: { integration: Integration }) {
  const mayResume = useHasRole('operator');
  const { pause } = useIntegrationActions(integration);
  return (
    <Banner hue="neutral" title="Paused">
      <Text size="sm">Syncs and scans are stopped. Token checks and expiry alerts continue.</Text>
      {mayResume && (
        <Button variant="default" mt="sm" loading={pause.isPending} onClick={() => pause.mutate(false)}>
          Resume
        </Button>
      )}
    </Banner>
  );
}

function Outage({ integration }: { integration: Integration }) {
  const nowMs = useNow();
  const { reachability, nextVerifyAt, status, advice } = integration;
  if (reachability.state !== 'unreachable') return null;
  const outage = outageText(reachability.since, nowMs);
  return (
    <Banner hue="warn" title={`${outage}. Showing the last known status.`}>
      {/* with an invalid token the advice is about the token */}
      {status !== 'invalid' && advice !== null && <Text size="sm">{advice}</Text>}
      <Text size="xs" c="dimmed">
        {causeTitle(reachability.cause)}
        {nextVerifyAt !== null && (
          <>
            {' · '}next attempt <TimeAgo at={nextVerifyAt} />
          </>
        )}
      </Text>
    </Banner>
  );
}

function SyncProblem({ sync }: { sync: Integration['sync'] }) {
  const label = syncLabel(sync);
  if (label === null || sync.cause === null) return null;
  return (
    <Banner hue={label.hue} title={label.text}>
      <Text size="sm">
        {sync.state === 'failed'
          ? 'Nothing was removed. The next sync retries; select Sync to start one now.'
          : 'The sync continues automatically.'}
      </Text>
    </Banner>
  );
}

/** A sync that would remove many known repositories waits until an administrator accepts it. */
function RemovalReview({ integration }: { integration: Integration }) {
  const isAdmin = useHasRole('admin');
  const { sync } = useIntegrationActions(integration);
  const { data } = useQuery({
    queryKey: [...queryKeys.integration(integration.id), 'brake'],
    queryFn: () =>
      request(
        api.integrations[':id'].events.$get({
          param: { id: integration.id },
          query: { kind: 'sync.brake_engaged', limit: '1' },
        }),
      ),
  });
  const event = data?.items[0];
  const lost = event?.data['repositories'];
  const what =
    typeof lost === 'number' ? formatCount(lost, 'repository', 'repositories') : 'many repositories';
  return (
    <Banner hue="warn" title={`The last sync would remove ${what}`}>
      <Text size="sm">
        Nothing has been removed. Secu applies the change after two more syncs with the same result. If groups
        or projects were deleted on purpose, accept the change.
      </Text>
      <Group gap="sm" mt="sm">
        {isAdmin ? (
          <Button variant="default" loading={sync.isPending} onClick={() => sync.mutate(true)}>
            Accept the change
          </Button>
        ) : (
          <Text size="sm">An administrator can accept the change.</Text>
        )}
        {event !== undefined && (
          <Text size="xs" c="dimmed">
            Since <TimeAgo at={event.at} />
          </Text>
        )}
      </Group>
    </Banner>
  );
}
