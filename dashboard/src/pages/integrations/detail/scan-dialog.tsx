import { formatCount } from '../../../format/labels.ts';
import { Confirm } from '../../../parts/confirm.tsx';
import type { DialogProps } from './dialog-props.ts';
import { queueScans, showQueuedToast } from './use-integration-actions.ts';

export function ScanDialog({ integration: { id, counts }, onClose }: DialogProps) {
  const repositories = formatCount(counts.repositories, 'repository', 'repositories');
  return (
    <Confirm
      title={`Scan the full history of ${repositories}?`}
      action="Scan"
      isDangerous={false}
      onConfirm={async () => showQueuedToast(await queueScans({ id, full: true }))}
      onClose={onClose}
    >
      This can take hours. Other scans continue in the meantime.
    </Confirm>
  );
}
