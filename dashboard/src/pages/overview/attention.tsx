import { Text, Title } from '@mantine/core';
import { IconAlertCircle, IconAlertTriangle } from '@tabler/icons-react';
import { useState } from 'react';
import { useHasRole } from '../../api/session.ts';
import type { AttentionItem } from '../../api/types.ts';
import { useRowShortcuts } from '../../keyboard/row-shortcuts.ts';
import { ButtonLink } from '../../parts/button-link.tsx';
import { Empty } from '../../parts/states.tsx';
import { TimeAgo } from '../../parts/time-ago.tsx';
import classes from './attention.module.css';
import type { KnownIntegration } from './attention-items.ts';
import { attentionLabel, attentionSubject, sortByUrgency } from './attention-items.ts';

const INITIAL_ROWS = 12;

/** Problems that need action, most urgent first, each with a link to the page that resolves it. */
export function Attention({
  items,
  integrations,
}: {
  items: AttentionItem[];
  integrations: KnownIntegration[];
}) {
  const [isExpanded, setExpanded] = useState(false);
  const list = useRowShortcuts<HTMLUListElement>();
  const ordered = sortByUrgency(items, integrations);
  const shown = isExpanded ? ordered : ordered.slice(0, INITIAL_ROWS);
  return (
    <section aria-labelledby="attention">
      <Title order={2} id="attention" mb="sm">
        Needs attention ({items.length})
      </Title>
      {items.length === 0 ? (
        <Empty title="Nothing needs attention" />
      ) : (
        <ul ref={list} className={classes['list']}>
          {shown.map((item) => (
            <Row key={idOf(item)} item={item} integrations={integrations} />
          ))}
        </ul>
      )}
      {shown.length < ordered.length && (
        <button type="button" className={classes['more']} onClick={() => setExpanded(true)}>
          Show {ordered.length - shown.length} more
        </button>
      )}
    </section>
  );
}

function idOf({ kind, integrationId, repositoryId }: AttentionItem): string {
  return `${kind} ${integrationId ?? ''} ${repositoryId ?? ''}`;
}

function Row({ item, integrations }: { item: AttentionItem; integrations: KnownIntegration[] }) {
  const { text, hue } = attentionLabel(item, integrations);
  const Icon = hue === 'bad' ? IconAlertCircle : IconAlertTriangle;
  return (
    <li data-row={idOf(item)} className={classes['row']}>
      <Icon size={16} aria-hidden="true" style={{ color: `var(--secu-dot-${hue})` }} />
      <span className={classes['subject']}>{attentionSubject(item, integrations)}</span>
      <span className={classes['problem']}>
        {text}
        {item.kind !== 'no_channel' && (
          <Text span size="xs" c="dimmed">
            {' · '}
            <TimeAgo at={item.since} />
          </Text>
        )}
      </span>
      <span className={classes['act']}>
        <Action item={item} />
      </span>
    </li>
  );
}

/** The link to the page that resolves the problem. */
function Action({ item: { kind, integrationId, repositoryId } }: { item: AttentionItem }) {
  const mayReplace = useHasRole('operator');
  const isAdmin = useHasRole('admin');
  if (kind === 'no_channel')
    return isAdmin ? (
      <ButtonLink variant="default" to="/settings/channels">
        Set up alerts
      </ButtonLink>
    ) : (
      <Text size="xs" c="dimmed">
        An administrator can set up alerts.
      </Text>
    );
  if (repositoryId !== null)
    return (
      <ButtonLink variant="default" to="/repositories/$id" params={{ id: repositoryId }}>
        Open
      </ButtonLink>
    );
  if (integrationId === null) return null;
  const opensReplace = mayReplace && ['invalid', 'expired', 'expiring'].includes(kind);
  return (
    <ButtonLink
      variant="default"
      to="/integrations/$id"
      params={{ id: integrationId }}
      search={opensReplace ? { act: 'replace' } : {}}
    >
      {opensReplace ? 'Replace token' : 'Details'}
    </ButtonLink>
  );
}
