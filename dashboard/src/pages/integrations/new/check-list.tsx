import { Alert, Button, Code, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconDots, IconMinus, IconX } from '@tabler/icons-react';
import type { CheckName } from '../../../api/types.ts';
import { CHECK_NAMES, CHECK_TITLES } from '../../../format/labels.ts';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { TimeAgo } from '../../../parts/time-ago.tsx';
import type { Hue } from '../../../theme/tokens.ts';
import classes from './check-list.module.css';
import { verdictText } from './dry-run-text.ts';
import type { DryRun, DryRunState } from './use-dry-run.ts';

type Check = DryRun['checks'][number];

const STATUS_STYLES: Record<Check['status'] | 'pending', { text: string; hue: Hue; icon: typeof IconX }> = {
  ok: { text: 'OK', hue: 'ok', icon: IconCheck },
  failed: { text: 'Failed', hue: 'bad', icon: IconX },
  warning: { text: 'Warning', hue: 'warn', icon: IconAlertTriangle },
  skipped: { text: 'Skipped', hue: 'neutral', icon: IconMinus },
  pending: { text: 'Pending', hue: 'neutral', icon: IconDots },
};

const VERDICT_HUES: Record<DryRun['verdict'], Hue> = { usable: 'ok', unusable: 'bad', unknown: 'warn' };

/** The checks of a dry run, in the order in which they run. All rows are shown from the start. */
export function CheckList({ state, onAgain }: { state: DryRunState; onAgain: () => void }) {
  const run = state.phase === 'done' ? state.run : null;
  return (
    <section aria-labelledby="checks" aria-busy={state.phase === 'running'}>
      <header className={classes['header']}>
        <Title order={2} id="checks">
          Checks
        </Title>
        {state.phase === 'done' && (
          <Text size="xs" c="dimmed">
            Tested <TimeAgo at={state.testedAt} seconds />
          </Text>
        )}
        <Button
          variant="default"
          onClick={onAgain}
          disabled={state.phase === 'idle' || state.phase === 'fault'}
          loading={state.phase === 'running'}
          className={classes['again']}
        >
          Test again
        </Button>
      </header>
      <div role="status">
        <Summary state={state} />
      </div>
      {state.phase === 'failed' && <ProblemPanel error={state.error} onRetry={onAgain} />}
      <ul className={classes['checks']} data-stale={run === null || undefined}>
        {CHECK_NAMES.map((name) => (
          <Row
            key={name}
            name={name}
            check={run?.checks.find((check) => check.name === name)}
            isRunning={state.phase === 'running'}
          />
        ))}
      </ul>
    </section>
  );
}

function Summary({ state }: { state: DryRunState }) {
  switch (state.phase) {
    case 'idle':
      return (
        <Text size="sm" c="dimmed">
          The token is tested as soon as you paste it. Nothing is stored until you save.
        </Text>
      );
    case 'changed':
      return <Text size="sm">The test starts when you stop typing.</Text>;
    case 'running':
      return <Text size="sm">Testing the token. This takes up to 10 seconds.</Text>;
    case 'failed':
      return <Text size="sm">The test could not run.</Text>;
    case 'fault':
      return (
        <Alert color="bad" title={state.fault.title}>
          {state.fault.advice}
        </Alert>
      );
    case 'done':
      return (
        <Alert color={VERDICT_HUES[state.run.verdict]} title={verdictText(state.run)}>
          {state.run.advice}
        </Alert>
      );
  }
}

function Row({ name, check, isRunning }: { name: CheckName; check: Check | undefined; isRunning: boolean }) {
  const { text, hue, icon: Icon } = STATUS_STYLES[check?.status ?? (isRunning ? 'pending' : 'skipped')];
  const showsAdvice = check !== undefined && (check.status === 'failed' || check.status === 'warning');
  return (
    <li className={classes['check']} data-status={check?.status ?? 'none'}>
      <span className={classes['status']} style={{ color: `var(--mantine-color-${hue}-text)` }}>
        <Icon size={14} aria-hidden="true" />
        {text}
      </span>
      <span className={classes['name']}>{CHECK_TITLES[name]}</span>
      <span className={classes['detail']}>{check?.detail}</span>
      {showsAdvice && (
        <span className={classes['advice']}>
          {check.advice} {check.cause !== null && <Code>{check.cause}</Code>}
        </span>
      )}
    </li>
  );
}
