import { Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Severity } from '../../api/types.ts';
import { SEVERITIES, SEVERITY_LABELS } from '../../format/labels.ts';
import classes from './severity-bars.module.css';

/** Open findings by severity; each bar links to the list. */
export function SeverityBars({ bySeverity }: { bySeverity: Record<Severity, number> }) {
  const max = Math.max(1, ...SEVERITIES.map((severity) => bySeverity[severity]));
  const total = SEVERITIES.reduce((sum, severity) => sum + bySeverity[severity], 0);
  return (
    <section aria-labelledby="open-findings">
      <Title order={2} id="open-findings" mb="sm">
        Open findings
      </Title>
      <ul className={classes['bars']}>
        {SEVERITIES.map((severity) => (
          <li key={severity}>
            <Link to="/findings" search={{ severity }} className={classes['bar']}>
              <span className={classes['name']}>
                <b>{SEVERITY_LABELS[severity].letter}</b> {SEVERITY_LABELS[severity].text}
              </span>
              <span className={classes['count']}>{bySeverity[severity].toLocaleString('en')}</span>
              <span className={classes['track']}>
                <span
                  className={classes['fill']}
                  style={{
                    width: `${(bySeverity[severity] / max) * 100}%`,
                    background: `var(--secu-dot-${SEVERITY_LABELS[severity].hue})`,
                  }}
                />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {total === 0 && (
        <Text size="xs" c="dimmed" mt="sm">
          No open findings in the scanned repositories. See Freshness for repositories that were not scanned.
        </Text>
      )}
    </section>
  );
}
