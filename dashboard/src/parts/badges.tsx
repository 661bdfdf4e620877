import { Badge } from '@mantine/core';
import type { Severity } from '../api/types.ts';
import type { Label } from '../format/labels.ts';
import { SEVERITY_LABELS } from '../format/labels.ts';

/** A word in its colour. */
export function LabelBadge({ word, suffix }: { word: Label; suffix?: string }) {
  return (
    <Badge color={word.hue}>
      {word.text}
      {suffix}
    </Badge>
  );
}

/** Severity by letter, word and colour; critical alone is filled. */
export function SeverityBadge({ severity }: { severity: Severity }) {
  const { letter, text, hue } = SEVERITY_LABELS[severity];
  return (
    <Badge color={hue} variant={severity === 'critical' ? 'filled' : 'light'} w={84}>
      {letter} {text}
    </Badge>
  );
}
