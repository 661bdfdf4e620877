import { ActionIcon, Button, Menu, Text } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useHasRole } from '../../../api/session.ts';
import { useTemporalLink } from '../../../api/use-temporal-link.ts';
import { useShortcuts } from '../../../keyboard/hotkeys.ts';
import type { Integration } from '../data.ts';
import { isRotationPossible } from '../labels.ts';
import { useVerify } from '../use-verify.ts';
import type { DialogName } from './dialog-props.ts';
import { useIntegrationActions } from './use-integration-actions.ts';

interface Props {
  integration: Integration;
  open: (dialog: DialogName) => void;
}

/** The actions of an integration. Narrow pages show one button and a menu with the others. */
export function Actions({ integration, open }: Props) {
  const mayOperate = useHasRole('operator');
  const { verify, isRunning } = useVerify();
  const { sync, scan } = useIntegrationActions(integration);
  useShortcuts({ v: () => verify(integration.id) }, mayOperate);
  if (!mayOperate) return <More integration={integration} open={open} />;
  return (
    <>
      <Button variant="default" loading={isRunning(integration.id)} onClick={() => verify(integration.id)}>
        Verify
      </Button>
      <Button variant="default" visibleFrom="sm" loading={sync.isPending} onClick={() => sync.mutate(false)}>
        Sync
      </Button>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" visibleFrom="sm" loading={scan.isPending}>
            Scan
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => scan.mutate()}>New commits</Menu.Item>
          <Menu.Item onClick={() => open('scan')}>Full history</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <More integration={integration} open={open} />
    </>
  );
}

function More({ integration, open }: Props) {
  const mayOperate = useHasRole('operator');
  const isAdmin = useHasRole('admin');
  const temporal = useTemporalLink(`integration:${integration.id}`);
  const { sync, scan, pause } = useIntegrationActions(integration);
  if (!mayOperate && temporal === null) return null;
  const isPaused = integration.status === 'paused';
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label="More actions">
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mayOperate && (
          <>
            <Menu.Item hiddenFrom="sm" onClick={() => sync.mutate(false)}>
              Sync
            </Menu.Item>
            <Menu.Item hiddenFrom="sm" onClick={() => scan.mutate()}>
              Scan new commits
            </Menu.Item>
            <Menu.Item hiddenFrom="sm" onClick={() => open('scan')}>
              Scan full history
            </Menu.Item>
            {/* the first item that is visible at every width: a hidden item cannot take focus */}
            <Menu.Item data-autofocus onClick={() => open('replace')}>
              Replace token
            </Menu.Item>
            {isAdmin && <RotateItem integration={integration} open={open} />}
            <Menu.Item onClick={() => pause.mutate(!isPaused)}>{isPaused ? 'Resume' : 'Pause'}</Menu.Item>
          </>
        )}
        {temporal !== null && (
          <Menu.Item component="a" href={temporal} target="_blank" rel="noreferrer">
            Open in Temporal
          </Menu.Item>
        )}
        {isAdmin && (
          <Menu.Item c="bad" onClick={() => open('remove')}>
            Remove
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** A disabled item shows why rotation is not possible. */
function RotateItem({ integration: { token }, open }: Props) {
  const canRotate = isRotationPossible(token);
  return (
    <Menu.Item disabled={!canRotate} onClick={() => open('rotate')}>
      Rotate token
      {!canRotate && (
        <Text size="xs" c="dimmed" maw={220}>
          Not possible: {token?.rotateBlockedReason ?? 'the token has not been verified yet'}
        </Text>
      )}
    </Menu.Item>
  );
}
