import { Badge } from '@mantine/core';
import type { Severity } from '../api/types.ts';
import type { Label } from '../format/labels.ts';
import { SEVERITY_LABELS } from '../format/labels.ts';

/** A label as a badge. */
export function LabelBadge({ label, suffix }: { label: Label; suffix?: string }) {
  return (
    <Badge color={label.hue}>
      {label.text}
      {suffix}
    </Badge>
  );
}

/** Severity as letter, text and colour; only critical is filled. */
export function SeverityBadge({ severity }: { severity: Severity }) {
  const { letter, text, hue } = SEVERITY_LABELS[severity];
  return (
    <Badge color={hue} variant={severity === 'critical' ? 'filled' : 'light'} w={84}>
      {letter} {text}
    </Badge>
  );
}
