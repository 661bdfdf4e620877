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

/** A fault that can be found without asking GitLab; `null` if there is none. The text is trimmed. */
export function findTokenFault(token: string): TokenFault | null {
  if (/^bearer\s/i.test(token))
    return { title: 'This begins with "Bearer"', advice: 'Paste only the token.' };
  if (!/^[\x21-\x7e]*$/.test(token))
    return {
      title: 'This is not a token',
      advice: 'A token has no spaces and only ASCII characters. Copy it again.',
    };
  const kind = WRONG_KINDS.find(([prefix]) => prefix.test(token))?.[1];
  return kind === undefined ? null : { title: `${kind}. It cannot call the API.`, advice: ACCEPTED_KINDS };
}
