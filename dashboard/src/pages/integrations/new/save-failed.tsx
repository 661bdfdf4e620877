import { Alert, Code, Group, Text } from '@mantine/core';
import { Problem } from '../../../api/problem.ts';
import { CopyButton } from '../../../parts/copy-button.tsx';
import { ProblemPanel } from '../../../parts/problem-panel.tsx';
import { TextLink } from '../../../parts/text-link.tsx';

/** Why nothing was saved, with the way on where there is one. */
export function SaveFailed({ error }: { error: unknown }) {
  if (!(error instanceof Problem)) return <ProblemPanel error={error} />;
  const { integrationId, settings } = error.details;
  if (error.code === 'token_in_use' && typeof integrationId === 'string')
    return (
      <Alert color="warn" title="Already connected" role="alert">
        This very token belongs to{' '}
        <TextLink to="/integrations/$id" params={{ id: integrationId }}>
          another integration
        </TextLink>
        . Nothing was saved.
      </Alert>
    );
  if (error.code === 'origin_not_allowed' && Array.isArray(settings))
    return (
      <Alert color="bad" title="The address is not allowed" role="alert">
        <Text size="sm">Add it to the settings of Secu and restart it:</Text>
        {settings.map((line) => (
          <Group key={String(line)} gap="xs" mt="xs">
            <Code>{String(line)}</Code>
            <CopyButton text={String(line)} label="Copy the setting" />
          </Group>
        ))}
        <Text size="sm" mt="xs">
          The setting is a comma list: keep what it holds already. A private address has to be in{' '}
          <Code>SECU_ALLOWED_NETWORKS</Code> too.
        </Text>
      </Alert>
    );
  return <ProblemPanel error={error} />;
}
