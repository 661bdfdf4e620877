import { causeTitle, formatCount } from '../../../format/labels.ts';

interface Verdict {
  verdict: 'usable' | 'unusable' | 'unknown';
  cause: string | null;
  reach: { groups: number | null; projects: number | null } | null;
  token: { expiry: { daysLeft: number | null } } | null;
}

/** The result of a test in one sentence: what the token can access and until when, or why it does not work. */
export function verdictText({ verdict, cause, reach, token }: Verdict): string {
  switch (verdict) {
    case 'unusable':
      return `Not usable: ${causeTitle(cause)}`;
    case 'unknown':
      return `No verdict: ${causeTitle(cause)}`;
    case 'usable': {
      const days = token?.expiry.daysLeft ?? null;
      return `Usable: ${reachText(reach)}${days === null ? '' : `, ${formatCount(days, 'day')} left`}`;
    }
  }
}

function reachText(reach: Verdict['reach']): string {
  if (reach === null) return 'the token works';
  const projects =
    reach.projects === null ? 'more than 10,000 projects' : formatCount(reach.projects, 'project');
  return reach.groups === null ? projects : `${projects} in ${formatCount(reach.groups, 'group')}`;
}

/** The lines of a text without empty lines and duplicates. */
export function parseLines(text: string): string[] {
  return [...new Set(text.split('\n').map((line) => line.trim()))].filter((line) => line !== '');
}
