import { Text, Title } from '@mantine/core';
import type { Overview } from '../../api/types.ts';
import { TextLink } from '../../parts/text-link.tsx';
import { freshnessText } from './freshness-text.ts';

/** How many repositories were scanned recently, failed, or were never scanned. */
export function Freshness({ freshness }: { freshness: Overview['freshness'] }) {
  const { failed, never } = freshness;
  return (
    <section aria-labelledby="freshness">
      <Title order={2} id="freshness" mt="xl" mb="sm">
        Freshness
      </Title>
      <Text size="sm">
        {freshnessText(freshness)} ·{' '}
        <Text span size="sm" {...(failed > 0 && { c: 'bad', fw: 600 })}>
          {failed.toLocaleString('en')} failed
        </Text>{' '}
        ·{' '}
        <Text span size="sm" {...(never > 0 && { c: 'warn', fw: 600 })}>
          {never.toLocaleString('en')} never scanned
        </Text>{' '}
        · <TextLink to="/repositories">Repositories</TextLink>
      </Text>
    </section>
  );
}
