import { Alert, Code, Group, Text } from '@mantine/core';
import { Problem } from '../../../api/problem.ts';
import { CopyButton } from '../../../parts/copy-button.tsx';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { TextLink } from '../../../parts/text-link.tsx';

/** Why the integration was not saved, and what to do. */
export function SaveFailed({ error }: { error: unknown }) {
  if (!(error instanceof Problem)) return <ProblemPanel error={error} />;
  const { integrationId, settings } = error.details;
  if (error.code === 'token_in_use' && typeof integrationId === 'string')
    return (
      <Alert color="warn" title="Token already in use" role="alert">
        This token belongs to{' '}
        <TextLink to="/integrations/$id" params={{ id: integrationId }}>
          another integration
        </TextLink>
        . Nothing was saved.
      </Alert>
    );
  if (error.code === 'origin_not_allowed' && Array.isArray(settings))
    return (
      <Alert color="bad" title="Address not allowed" role="alert">
        <Text size="sm">Add this setting and restart Secu:</Text>
        {settings.map((line) => (
          <Group key={String(line)} gap="xs" mt="xs">
            <Code>{String(line)}</Code>
            <CopyButton text={String(line)} label="Copy setting" />
          </Group>
        ))}
        <Text size="sm" mt="xs">
          The setting is a comma-separated list: keep its existing values. A private address must also be in{' '}
          <Code>SECU_ALLOWED_NETWORKS</Code>.
        </Text>
      </Alert>
    );
  return <ProblemPanel error={error} />;
}
