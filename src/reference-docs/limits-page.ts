import { MAX_BRANCHES } from '../activities/scan/branches.ts';
import { MAX_BODY_BYTES } from '../api/app.ts';
import { MAX_QUEUED_LIVE_EVENTS, MAX_WRITE_MS } from '../api/events/stream.ts';
import { MAX_IDS } from '../api/findings/schemas.ts';
import { MAX_TOKEN_CHARACTERS } from '../api/integrations/schemas.ts';
import { MAX_LIMIT } from '../api/shared.ts';
import { settingsTable } from '../config/settings.ts';
import { MAX_WILDCARDS_PER_GLOB, MAX_WILDCARDS_PER_LIST } from '../domain/filters.ts';
import { MAX_NAME_CHARACTERS } from '../domain/foreign-values.ts';
import { MAX_HINTS_PER_MINUTE } from '../domain/hook.ts';
import { MAX_PROMPTED_VERIFICATIONS_PER_HOUR } from '../domain/scan-retry.ts';
import { MAX_ASKED_BRANCHES } from '../gitlab/branches.ts';
import { MAX_ISOLATED } from '../gitlab/page-reader.ts';
import { MAX_ANSWER_BYTES } from '../gitlab/requester.ts';
import { MAX_CODE_BYTES } from '../scanners/ast-grep/code-files.ts';
import { MAX_EXCERPT_CHARACTERS } from '../scanners/excerpt.ts';
import {
  MAX_COMMIT_BYTES,
  MAX_ENTRY_BYTES,
  MAX_TREE_ENTRIES,
  MAX_TREE_PATH_BYTES,
} from '../scanners/git-objects.ts';
import { MAX_FINDINGS } from '../scanners/scanners.ts';
import { MAX_PATH_BYTES } from '../scanners/snapshot.ts';
import { GIT_LOCAL_LIMITS, MIN_GIT_REMOTE_MEMORY_BYTES, SCANNER_LIMITS } from '../subprocess/limits.ts';
import { MAX_PROCESSES } from '../subprocess/supervisor.ts';
import { markdownPage } from './page.ts';

interface Limit {
  what: string;
  value: string;
  /** What happens beyond it. */
  outcome: string;
  setting?: string;
}

const REPOSITORY: readonly Limit[] = [
  {
    what: 'Size of a clone',
    value: defaultOf('SECU_CLONE_MAX_BYTES'),
    outcome: cause('clone_too_large'),
    setting: 'SECU_CLONE_MAX_BYTES',
  },
  {
    what: 'Duration of a clone',
    value: defaultOf('SECU_CLONE_TIMEOUT'),
    outcome: cause('clone_timed_out'),
    setting: 'SECU_CLONE_TIMEOUT',
  },
  {
    what: 'Duration of a scan',
    value: defaultOf('SECU_SCAN_TIMEOUT'),
    outcome: cause('scan_timed_out'),
    setting: 'SECU_SCAN_TIMEOUT',
  },
  {
    what: 'Size of a file',
    value: defaultOf('SECU_BLOB_MAX_BYTES'),
    outcome: skipped('too_large'),
    setting: 'SECU_BLOB_MAX_BYTES',
  },
  { what: 'Size of a code file for ast-grep', value: bytes(MAX_CODE_BYTES), outcome: skipped('too_large') },
  { what: 'Length of a path', value: bytes(MAX_PATH_BYTES), outcome: skipped('path_too_long') },
  { what: 'Paths of a commit', value: count(MAX_TREE_ENTRIES), outcome: cause('too_many_files') },
  {
    what: 'Watched branches of a repository',
    value: count(MAX_BRANCHES),
    outcome: 'the scan is `incomplete` with `branches_unread`',
  },
  {
    what: 'Branches that GitLab is asked for, to know the protected ones',
    value: count(MAX_ASKED_BRANCHES),
    outcome: 'the scan is `incomplete` with `branches_unread`',
  },
  {
    what: 'All paths of a commit together',
    value: bytes(MAX_TREE_PATH_BYTES),
    outcome: cause('too_many_files'),
  },
  { what: 'One entry of a tree', value: bytes(MAX_ENTRY_BYTES), outcome: cause('object_malformed') },
  {
    what: 'Commit object that is read',
    value: bytes(MAX_COMMIT_BYTES),
    outcome: 'the rest of the message is not read',
  },
  { what: 'Name of an author', value: `${count(MAX_NAME_CHARACTERS)} characters`, outcome: 'cut' },
  {
    what: 'Findings of one scanner',
    value: count(MAX_FINDINGS),
    outcome:
      'the most severe are stored, the scan is `incomplete` with `more_findings`, and no finding is closed',
  },
  { what: 'Excerpt of a finding', value: `${count(MAX_EXCERPT_CHARACTERS)} characters`, outcome: 'cut' },
];

const PROGRAMS: readonly Limit[] = [
  {
    what: 'Memory (address space) of git that talks to GitLab',
    value: `a quarter of SECU_CLONE_MAX_BYTES, at least ${bytes(MIN_GIT_REMOTE_MEMORY_BYTES)}`,
    outcome: cause('clone_too_large'),
    setting: 'SECU_CLONE_MAX_BYTES',
  },
  {
    what: 'Memory (address space) of git that reads a clone',
    value: bytes(GIT_LOCAL_LIMITS.maxMemoryBytes),
    outcome: cause('scanner_crashed'),
  },
  {
    what: 'Memory (address space) of a scanner',
    value: bytes(SCANNER_LIMITS.maxMemoryBytes),
    outcome: cause('scanner_crashed'),
  },
  {
    what: 'Processor time of one program',
    value: `${count(SCANNER_LIMITS.maxCpuSeconds)} s`,
    outcome: cause('scanner_crashed'),
  },
  {
    what: 'File that a scanner writes',
    value: bytes(SCANNER_LIMITS.maxFileBytes),
    outcome: cause('scanner_crashed'),
  },
  {
    what: 'Processes and threads of the user',
    value: count(MAX_PROCESSES),
    outcome: 'starting another one fails',
  },
  { what: 'Core files', value: '0 B', outcome: 'none is written' },
];

const GITLAB: readonly Limit[] = [
  { what: 'Answer of GitLab', value: bytes(MAX_ANSWER_BYTES), outcome: cause('gitlab_reply_unreadable') },
  {
    what: 'Requests to one GitLab origin',
    value: defaultOf('SECU_GITLAB_RATE'),
    outcome: 'requests wait',
    setting: 'SECU_GITLAB_RATE',
  },
  {
    what: 'Concurrent clones from one GitLab origin',
    value: `${defaultOf('SECU_GITLAB_CLONES')} per scan worker`,
    outcome: 'clones wait',
    setting: 'SECU_GITLAB_CLONES',
  },
  {
    what: 'Unreadable projects isolated in one listing',
    value: count(MAX_ISOLATED),
    outcome: 'the listing is incomplete',
  },
  {
    what: 'Webhooks of one integration',
    value: `${count(MAX_HINTS_PER_MINUTE)} a minute`,
    outcome: 'one sync answers the others',
  },
  {
    what: 'Verifications that failing scans cause',
    value: `${count(MAX_PROMPTED_VERIFICATIONS_PER_HOUR)} an hour per integration`,
    outcome: 'no further one until the hour is over',
  },
  {
    what: 'Length of a token',
    value: `${count(MAX_TOKEN_CHARACTERS)} characters`,
    outcome: '400 `invalid_request`',
  },
];

const API: readonly Limit[] = [
  { what: 'Body of a request', value: bytes(MAX_BODY_BYTES), outcome: '413 `payload_too_large`' },
  { what: 'Items on a page', value: count(MAX_LIMIT), outcome: '400 `invalid_request`' },
  { what: 'Ids in one bulk triage', value: count(MAX_IDS), outcome: '400 `invalid_request`' },
  { what: 'Wildcards of a glob', value: count(MAX_WILDCARDS_PER_GLOB), outcome: '400 `invalid_request`' },
  {
    what: 'Wildcards of a list of globs',
    value: count(MAX_WILDCARDS_PER_LIST),
    outcome: '400 `invalid_request`',
  },
  {
    what: 'Live events that wait for one reader of the stream',
    value: count(MAX_QUEUED_LIVE_EVENTS),
    outcome: 'the reader is disconnected and resumes with `Last-Event-ID`',
  },
  {
    what: 'Time in which a reader of the stream accepts nothing',
    value: `${MAX_WRITE_MS / 1_000} s`,
    outcome: 'the reader is disconnected and resumes with `Last-Event-ID`',
  },
];

export function limitsPage(): string {
  return markdownPage('Limits', [
    'Everything that comes from a repository, from GitLab or from a request has a limit, which is checked while it is read.',
    'A cause is described in [causes](../reference/causes.md), a setting in [settings](../reference/settings.md).',
    ...section('A repository', REPOSITORY),
    ...section('Programs that read a repository', PROGRAMS),
    ...section('GitLab', GITLAB),
    ...section('HTTP API', API),
  ]);
}

function section(title: string, limits: readonly Limit[]): string[] {
  return [
    '',
    `## ${title}`,
    '',
    '| what | limit | beyond it | setting |',
    '| --- | --- | --- | --- |',
    ...limits.map(
      ({ what, value, outcome, setting }) =>
        `| ${what} | ${value} | ${outcome} | ${setting === undefined ? 'fixed' : `\`${setting}\``} |`,
    ),
  ];
}

function defaultOf(setting: string): string {
  const row = settingsTable().find(({ name }) => name === setting);
  if (row === undefined) throw new Error(`there is no setting ${setting}`);
  return row.default;
}

function cause(code: string): string {
  return `cause \`${code}\``;
}

function skipped(reason: string): string {
  return `the file is skipped as \`${reason}\``;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'] as const;
  let [scaled, unit] = [value, 0];
  while (scaled >= 1024 && unit < units.length - 1 && scaled % 1024 === 0) {
    scaled /= 1024;
    unit += 1;
  }
  return `${count(scaled)} ${units[unit]}`;
}
