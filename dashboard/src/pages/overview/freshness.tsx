import { Text, Title } from '@mantine/core';
import { TextLink } from '../../parts/text-link.tsx';
import { freshnessText } from './freshness-text.ts';

/** How much of what is known was looked at lately. */
export function Freshness({ freshness }: { freshness: Parameters<typeof freshnessText>[0] }) {
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
