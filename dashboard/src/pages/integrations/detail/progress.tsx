import { Progress as Bar, Text } from '@mantine/core';
import type { Integration } from '../data.ts';
import { scanProgress } from '../scan-progress.ts';
import classes from './progress.module.css';

/** Scan progress while scans are queued or running. */
export function Progress({ integration }: { integration: Integration }) {
  const progress = scanProgress(integration);
  if (progress === null) return null;
  const { done, all, running, queued } = progress;
  return (
    <section aria-label="Scanning" className={classes['progress']}>
      <Text size="sm">
        Scanning: {done.toLocaleString('en')} of {all.toLocaleString('en')}{' '}
        {all === 1 ? 'repository' : 'repositories'} done
      </Text>
      <Bar value={(done / all) * 100} aria-label="Repositories done" className={classes['bar']} />
      <Text size="xs" c="dimmed">
        {running.toLocaleString('en')} running · {queued.toLocaleString('en')} queued
      </Text>
    </section>
  );
}
