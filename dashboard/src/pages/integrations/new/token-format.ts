/** Documented prefixes of tokens that cannot call the API (GitLab docs, "Token overview"), as the server knows them. */
const WRONG_KINDS: readonly (readonly [RegExp, string])[] = [
  [/(^|-)gldt-/, 'This is a deploy token'],
  [/(^|-)glcbt-/, 'This is a CI/CD job token'],
  [/(^|-)glrtr?-/, 'This is a runner token'],
  [/(^|-)glptt-/, 'This is a pipeline trigger token'],
  [/(^|-)glft-/, 'This is a feed token'],
  [/(^|-)glimt-/, 'This is an incoming mail token'],
  [/(^|-)glagent-/, 'This is a token of an agent for Kubernetes'],
  [/(^|-)glwt-/, 'This is a workspace token'],
  [/(^|-)glsoat-/, 'This is a SCIM token'],
  [/(^|-)glffct-/, 'This is a feature flags client token'],
  [/(^|-)gloas-/, 'This is the secret of an OAuth application'],
];

export interface TokenFault {
  title: string;
  advice: string;
}

const ACCEPTED_KINDS = 'Create a personal, group or project access token, or one of a service account.';

/** What is wrong with a pasted text that no GitLab has to be asked for; `null` where it has. The text is trimmed. */
export function findTokenFault(token: string): TokenFault | null {
  if (/^bearer\s/i.test(token))
    return { title: 'This begins with "Bearer"', advice: 'Paste the token alone.' };
  if (!/^[\x21-\x7e]*$/.test(token))
    return {
      title: 'This is not a token',
      advice: 'A token has no spaces and no characters outside ASCII. Copy it once more.',
    };
  const kind = WRONG_KINDS.find(([prefix]) => prefix.test(token))?.[1];
  return kind === undefined ? null : { title: `${kind}. It cannot call the API.`, advice: ACCEPTED_KINDS };
}
