import { SecuError } from '../domain/errors.ts';

const MAX_PATH_CHARACTERS = 1_024;

export interface CloneAddress {
  /** What git is given: no user info, each segment encoded. */
  url: string;
  /** Everything below it belongs to this instance; credentials are for it alone. */
  scope: string;
  protocol: 'http' | 'https';
}

/**
 * The address of a repository, rebuilt from parts that were checked: what GitLab calls `http_url_to_repo` may name any
 * host.
 * @throws SecuError `clone_failed` for parts that no repository of GitLab has
 */
export function cloneAddress({ baseUrl, fullPath }: { baseUrl: string; fullPath: string }): CloneAddress {
  const base = URL.parse(baseUrl);
  if (base === null || !isPlain(base)) throw unusable('the base URL');
  const segments = fullPath.split('/');
  if (fullPath.length > MAX_PATH_CHARACTERS || segments.length < 2 || !segments.every(isSegment)) {
    throw unusable('the path of the repository');
  }
  const scope = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  return {
    url: `${scope}/${segments.map(encodeURIComponent).join('/')}.git`,
    scope: `${scope}/`,
    protocol: base.protocol === 'https:' ? 'https' : 'http',
  };
}

function isPlain(url: URL): boolean {
  const isBare = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return isBare && /^https?:$/.test(url.protocol);
}

/** Not empty, not a step in the tree, not an option, and nothing that breaks a line or a shell apart. */
function isSegment(segment: string): boolean {
  return /^(?!-)(?!\.{1,2}$)[^\p{C}\p{Z}\\:@?#%*"'<>|`$;&(){}[\]!^]+$/u.test(segment);
}

function unusable(what: string): SecuError {
  return new SecuError('clone_failed', `${what} cannot be cloned from`, {
    details: { problem: 'address_refused' },
  });
}
