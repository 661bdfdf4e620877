import { Text, Title, VisuallyHidden } from '@mantine/core';
import { useState } from 'react';
import { formatCount } from '../../format/labels.ts';
import { useNow } from '../../format/time.ts';
import { TextLink } from '../../parts/text-link.tsx';
import type { CalendarGroup, CalendarIntegration, ExpiringToken } from './calendar-months.ts';
import { buildExpiryCalendar } from './calendar-months.ts';
import classes from './expiry-calendar.module.css';

/** Token expiry by month for the next twelve months; tokens without a month are listed separately. */
export default function ExpiryCalendar({
  expiry,
  integrations,
}: {
  expiry: ExpiringToken[];
  integrations: CalendarIntegration[];
}) {
  const { months, others } = buildExpiryCalendar({ expiry, integrations, nowMs: useNow() });
  const groups = [...months, ...others];
  const [chosen, setChosen] = useState<string | null>(null);
  const open = groups.find(({ id }) => id === chosen) ?? groups.find(({ tokens }) => tokens.length > 0);
  const cell = (group: CalendarGroup) => (
    <Cell key={group.id} group={group} isOpen={group === open} onOpen={() => setChosen(group.id)} />
  );
  return (
    <section aria-labelledby="calendar">
      <Title order={2} id="calendar" mt="xl" mb="sm">
        Token expiry, next 12 months
      </Title>
      <ol className={classes['months']}>{months.map(cell)}</ol>
      <ul className={classes['others']}>{others.filter(({ tokens }) => tokens.length > 0).map(cell)}</ul>
      {open !== undefined && (
        <div className={classes['open']}>
          <Tokens group={open} />
        </div>
      )}
    </section>
  );
}

function Cell({ group, isOpen, onOpen }: { group: CalendarGroup; isOpen: boolean; onOpen: () => void }) {
  const { label, tokens, hue } = group;
  if (tokens.length === 0)
    return (
      <li className={classes['none']}>
        <span>{label}</span>
        <span aria-hidden="true">–</span>
      </li>
    );
  return (
    <li className={classes['some']}>
      <button type="button" className={classes['cell']} aria-pressed={isOpen} onClick={onOpen}>
        <span>{label} </span>
        <b style={{ color: `var(--mantine-color-${hue}-text)` }}>{tokens.length}</b>
        <VisuallyHidden>{tokens.length === 1 ? 'token' : 'tokens'}</VisuallyHidden>
      </button>
      {/* on narrow pages each month lists its own tokens */}
      <div className={classes['narrow']}>
        <Tokens group={group} />
      </div>
    </li>
  );
}

function Tokens({ group: { label, tokens } }: { group: CalendarGroup }) {
  return (
    <ul className={classes['tokens']} aria-label={label}>
      {tokens.map(({ integrationId, name, when, repositories }) => (
        <li key={integrationId}>
          <TextLink to="/integrations/$id" params={{ id: integrationId }}>
            {name}
          </TextLink>{' '}
          <Text span size="sm">
            {when}
          </Text>{' '}
          {repositories !== null && (
            <Text span size="xs" c="dimmed">
              {formatCount(repositories, 'repository', 'repositories')}
            </Text>
          )}
        </li>
      ))}
    </ul>
  );
}
