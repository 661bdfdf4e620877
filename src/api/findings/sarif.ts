import type { FindingStatus, Severity } from '../../domain/finding.ts';
import { SEVERITIES } from '../../domain/finding.ts';
import type { PresentedFinding } from './present.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const LEVELS = { critical: 'error', high: 'error', medium: 'warning', low: 'note' } as const;

/** `absent`: the finding was there before and is gone. SARIF wants the state on every result or on none. */
const BASELINE_STATES = {
  open: 'unchanged',
  ignored: 'unchanged',
  fixed: 'absent',
  removed: 'absent',
} as const satisfies Record<FindingStatus, string>;

/** Scores in the middle of the bands by which SARIF viewers rank severity. */
const SCORES: Record<Severity, string> = { critical: '9.5', high: '8.0', medium: '5.5', low: '2.0' };

/** A finding as the API shows it, plus the parts for its URLs. */
export interface ExportedFinding extends PresentedFinding {
  repositoryUrl: string;
  /** Path in the repository, as a relative URI. */
  pathUri: string;
}

interface Rule {
  index: number;
  title: string;
  severity: Severity;
  cwe: readonly string[];
}

/**
 * One SARIF run, one chunk per page. Rules and repositories follow the results, when they are all known;
 * members of a JSON object have no order.
 * @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export async function* sarifOf(
  pages: AsyncIterable<readonly ExportedFinding[]>,
  { version }: { version: string },
): AsyncGenerator<string> {
  const rules = new Map<string, Rule>();
  const repositories = new Map<string, string>();
  yield `{"$schema":${JSON.stringify(SCHEMA)},"version":"2.1.0","runs":[{"results":[`;
  let first = true;
  for await (const page of pages) {
    const results = page.map((finding) => {
      repositories.set(finding.repositoryId, finding.repositoryUrl);
      return JSON.stringify(resultOf(finding, ruleOf(rules, finding)));
    });
    yield (first ? '' : ',\n') + results.join(',\n');
    first = false;
  }
  const driver = { name: 'Secu', version, rules: [...rules].map(([id, rule]) => descriptorOf(id, rule)) };
  const versionControlProvenance = [...repositories].map(([uriBaseId, repositoryUri]) => ({
    repositoryUri,
    mappedTo: { uriBaseId },
  }));
  const originalUriBaseIds = Object.fromEntries(
    [...repositories].map(([uriBaseId, repositoryUrl]) => [uriBaseId, { uri: `${repositoryUrl}/` }]),
  );
  const rest = JSON.stringify({
    tool: { driver },
    columnKind: 'utf16CodeUnits',
    originalUriBaseIds,
    versionControlProvenance,
  });
  yield `],${rest.slice(1)}]}\n`;
}

const idOf = ({ scanner, ruleId }: PresentedFinding): string => `${scanner}/${ruleId}`;

/** Registers the rule of a finding with the highest severity seen. */
function ruleOf(rules: Map<string, Rule>, finding: PresentedFinding): Rule {
  const { title, severity, cwe } = finding;
  const known = rules.get(idOf(finding));
  if (known === undefined) {
    const rule = { index: rules.size, title, severity, cwe };
    rules.set(idOf(finding), rule);
    return rule;
  }
  if (SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(known.severity)) known.severity = severity;
  return known;
}

function descriptorOf(id: string, { title, severity, cwe }: Rule) {
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: title },
    help: { text: title },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      'security-severity': SCORES[severity],
      tags: ['security', ...cwe.map((each) => `external/cwe/${each.toLowerCase()}`)],
    },
  };
}

function resultOf(finding: ExportedFinding, { index }: Rule) {
  const { startLine, endLine } = finding;
  return {
    ruleId: idOf(finding),
    ruleIndex: index,
    level: LEVELS[finding.severity],
    message: { text: `${finding.title} (${finding.repositoryPath})` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: finding.pathUri, uriBaseId: finding.repositoryId },
          region: { startLine, endLine },
        },
      },
    ],
    hostedViewerUri: finding.permalink,
    baselineState: BASELINE_STATES[finding.status],
    partialFingerprints: { 'secuFingerprint/v1': finding.fingerprint },
    // SARIF requires it on all results or on none
    suppressions: suppressionsOf(finding),
    properties: propertiesOf(finding),
  };
}

function suppressionsOf({ status, triage }: PresentedFinding) {
  if (status !== 'ignored') return [];
  const justification = [triage?.reason, triage?.comment].filter((part) => part != null).join(': ');
  return [{ kind: 'external', status: 'accepted', justification }];
}

function propertiesOf(finding: ExportedFinding) {
  const { id, status, kind, severity, scanner, excerpt, commit, author, committedAt } = finding;
  const { firstSeenAt, lastSeenAt, triage, repositoryPath: repository, repositoryUrl, fingerprint } = finding;
  return {
    id,
    repository,
    repositoryUrl,
    kind,
    severity,
    status,
    scanner,
    excerpt,
    commit,
    author,
    committedAt,
    firstSeenAt,
    lastSeenAt,
    fingerprint,
    triage,
  };
}
