import { Text } from '@mantine/core';
import { useHasRole } from '../api/session.ts';
import { ButtonLink } from './button-link.tsx';
import { Empty } from './states.tsx';

/** Where nothing is connected yet. */
export function FirstUse() {
  const mayAdd = useHasRole('operator');
  return (
    <Empty title="Connect GitLab to begin.">
      <Text size="sm" c="dimmed">
        Give Secu a token that may read. It lists every repository that the token reaches, scans them, and
        warns before the token expires.
      </Text>
      {mayAdd ? (
        <ButtonLink to="/integrations/new">New integration</ButtonLink>
      ) : (
        <Text size="sm">An operator or an administrator can add an integration.</Text>
      )}
    </Empty>
  );
}
