import { Anchor, Button, Text } from '@mantine/core';
import { formatCount } from '../../format/labels.ts';
import type { Reason } from './finding-labels.ts';
import classes from './findings.module.css';
import { IgnoreMenu } from './ignore-menu.tsx';

/** Actions for the selected rows, or for everything that matches the filter. */
export function BulkBar({
  selected,
  total,
  all,
  onAll,
  onReason,
  onMore,
  onReopen,
  onClear,
}: {
  selected: number;
  total: number | null;
  /** Everything that matches the filter is selected, loaded or not. */
  all: boolean;
  onAll: () => void;
  onReason: (reason: Reason) => void;
  onMore: () => void;
  onReopen: () => void;
  onClear: () => void;
}) {
  return (
    <section className={classes['bulk']} aria-label="Selection">
      <Text size="sm" fw={600} role="status">
        {all ? `All ${formatCount(total ?? selected, 'finding')} selected` : `${selected} selected`}
      </Text>
      <IgnoreMenu disabled={false} onReason={onReason} onMore={onMore} />
      <Button variant="default" onClick={onReopen}>
        Reopen
      </Button>
      <Button variant="subtle" onClick={onClear}>
        Clear selection
      </Button>
      {!all && total !== null && total > selected && (
        <Anchor component="button" type="button" size="sm" onClick={onAll}>
          Select all {total.toLocaleString('en')} matching findings
        </Anchor>
      )}
    </section>
  );
}
