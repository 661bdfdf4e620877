import { Alert, Button, Code, Group, Text } from '@mantine/core';
import { Problem } from '../api/problem.ts';
import { CopyButton } from './copy-button.tsx';

/** An error with its description, request ID and a retry button. */
export function ProblemPanel({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { title, detail, requestId } = describeError(error);
  return (
    <Alert color="bad" title={title} role="alert" mb="md">
      <Text size="sm">{detail}</Text>
      {error instanceof Problem &&
        error.errors.map(({ path, message }) => (
          <Text size="sm" key={path}>
            <Code>{path}</Code> {message}
          </Text>
        ))}
      <Group gap="sm" mt="sm">
        {onRetry !== undefined && (
          <Button variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
        {requestId !== null && (
          <Group gap="xs">
            <Text size="xs" c="dimmed">
              Request ID <Code>{requestId}</Code>
            </Text>
            <CopyButton text={requestId} label="Copy request ID" />
          </Group>
        )}
      </Group>
    </Alert>
  );
}

export function describeError(error: unknown): { title: string; detail: string; requestId: string | null } {
  if (error instanceof Problem)
    return { title: error.title, detail: error.message, requestId: error.requestId };
  return {
    title: 'Something went wrong',
    detail: error instanceof Error ? error.message : String(error),
    requestId: null,
  };
}
