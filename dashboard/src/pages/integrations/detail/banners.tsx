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

/** What a person has to know before anything else, each with its way out. */
export function Banners({ integration, open }: Props) {
  const { status, sync } = integration;
  return (
    <>
      {status === 'pending' && <Pending />}
      {status === 'invalid' && <Invalid integration={integration} open={open} />}
      {status === 'paused' && <Paused integration={integration} />}
      <Outage integration={integration} />
      {sync.cause === 'brake_engaged' ? <Brake integration={integration} /> : <SyncTrouble sync={sync} />}
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
        <List.Item>Is the token alive, whose is it, what may it do, until when?</List.Item>
        <List.Item>Then its repositories are listed, and each is cloned and scanned.</List.Item>
      </List>
      <Text size="sm">The page follows by itself.</Text>
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
          <Text size="sm">An operator or an administrator can replace the token.</Text>
        )}
        {lastVerifiedAt !== null && (
          <Text size="xs" c="dimmed">
            looked at <TimeAgo at={lastVerifiedAt} />. Nothing that was found is lost.
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
      <Text size="sm">Syncs and scans stand still. Verification and warnings of expiry go on.</Text>
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
    <Banner hue="warn" title={`${outage}. The status is the last one known.`}>
      {/* with an invalid token the advice is about that one */}
      {status !== 'invalid' && advice !== null && <Text size="sm">{advice}</Text>}
      <Text size="xs" c="dimmed">
        {causeTitle(reachability.cause)}
        {nextVerifyAt !== null && (
          <>
            {' · '}next try <TimeAgo at={nextVerifyAt} />
          </>
        )}
      </Text>
    </Banner>
  );
}

function SyncTrouble({ sync }: { sync: Integration['sync'] }) {
  const word = syncLabel(sync);
  if (word === null || sync.cause === null) return null;
  return (
    <Banner hue={word.hue} title={word.text}>
      <Text size="sm">
        {sync.state === 'failed'
          ? 'Nothing was removed. The next sync tries again; Sync starts one now.'
          : 'It goes on by itself.'}
      </Text>
    </Banner>
  );
}

/** A listing without many repositories that we know, held back until somebody says that this is right. */
function Brake({ integration }: { integration: Integration }) {
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
    <Banner hue="warn" title={`The last list would take away ${what}`}>
      <Text size="sm">
        It is held back: of {formatCount(integration.counts.repositories, 'repository', 'repositories')}{' '}
        nothing was removed. Two more lists that say the same are taken by themselves. If groups or projects
        really went, accept it.
      </Text>
      <Group gap="sm" mt="sm">
        {isAdmin ? (
          <Button variant="default" loading={sync.isPending} onClick={() => sync.mutate(true)}>
            Accept the new list
          </Button>
        ) : (
          <Text size="sm">An administrator can accept the new list.</Text>
        )}
        {event !== undefined && (
          <Text size="xs" c="dimmed">
            since <TimeAgo at={event.at} />
          </Text>
        )}
      </Group>
    </Banner>
  );
}
