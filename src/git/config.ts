/** The settings of one call of git. */
export interface GitConfigInput {
  protocol: 'http' | 'https';
  /** The credential is sent only to addresses below this one. */
  scope: string;
  /** The header that carries the credential. */
  header: string;
  /** `host:port:address`: the address that the outbound policy checked. */
  pin: string | null;
  proxy: string | null;
  caFile: string | null;
  templateFolder: string;
  lowSpeedSeconds: number;
}

/**
 * `HEAD` of a clone names this branch if the server named none. A server that speaks git's protocol names a branch
 * even for a repository without commits. A web page that answers 200 to everything does not, and git would treat
 * it as an empty repository.
 * @see gitprotocol-v2(5), `unborn`; git, `remote-curl.c`, the protocol without `git-upload-pack`
 */
export const NO_BRANCH = 'secu-server-named-no-branch';

/** git streams larger blobs instead of holding them in memory. */
const BIG_FILE = '16m';

/**
 * Faults of objects that are harmless here, because nothing is checked out and only blobs are read: headers of
 * commits and tags, and files that configure a checkout. Old and imported repositories have them.
 * All other faults are refused and named: paths that leave the tree or name `.git`, trees that are unsorted or
 * hold a path twice, null and broken ids, unterminated headers.
 * @see git-fsck(1), "FSCK MESSAGES"
 */
export const HARMLESS_FAULTS = [
  'badDate',
  'badDateOverflow',
  'badEmail',
  'badFilemode',
  'badName',
  'badTagName',
  'badTimezone',
  'extraHeaderEntry',
  'gitattributesBlob',
  'gitattributesLarge',
  'gitattributesLineLength',
  'gitattributesMissing',
  'gitattributesSymlink',
  'gitignoreSymlink',
  'gitmodulesBlob',
  'gitmodulesLarge',
  'gitmodulesMissing',
  'gitmodulesName',
  'gitmodulesParse',
  'gitmodulesPath',
  'gitmodulesSymlink',
  'gitmodulesUpdate',
  'gitmodulesUrl',
  'largePathname',
  'mailmapSymlink',
  'missingAuthor',
  'missingCommitter',
  'missingEmail',
  'missingNameBeforeEmail',
  'missingSpaceBeforeDate',
  'missingSpaceBeforeEmail',
  'missingTagEntry',
  'missingTaggerEntry',
  'multipleAuthors',
  'nulInCommit',
  'zeroPaddedDate',
  'zeroPaddedFilemode',
];

/**
 * The only configuration that git reads: no hook, filter, helper or redirect, and one protocol. The header is scoped and
 * redirects are off, because git would otherwise send it to another host.
 * @see git-config(1); git, `http.c`, `extra_http_headers`
 */
export function gitConfig(input: GitConfigInput): string {
  const { protocol, scope, header, pin, proxy, caFile, templateFolder, lowSpeedSeconds } = input;
  const ca = caFile === null ? {} : { sslCAInfo: caFile, proxySSLCAInfo: caFile };
  return [
    section('core', {
      hooksPath: '/dev/null',
      symlinks: 'false',
      fsmonitor: 'false',
      protectHFS: 'true',
      protectNTFS: 'true',
      askPass: '/bin/false',
      attributesFile: '/dev/null',
      bigFileThreshold: BIG_FILE,
      // the memory limit counts mapped files
      packedGitWindowSize: '16m',
      packedGitLimit: '128m',
      deltaBaseCacheLimit: '32m',
    }),
    section('protocol', { allow: 'never', version: '2' }),
    section(['protocol', protocol], { allow: 'always' }),
    section('http', {
      followRedirects: 'false',
      lowSpeedLimit: '1000',
      lowSpeedTime: String(lowSpeedSeconds),
      proxy: proxy ?? '',
      sslVerify: 'true',
      emptyAuth: 'false',
      delegation: 'none',
      ...(pin === null ? {} : { curloptResolve: pin }),
      ...ca,
    }),
    section('credential', { helper: '' }),
    section(['http', scope], { extraHeader: header }),
    section('transfer', { fsckObjects: 'true', bundleURI: 'false', credentialsInUrl: 'die' }),
    section('fetch', {
      fsckObjects: 'true',
      recurseSubmodules: 'false',
      writeCommitGraph: 'false',
      // keeps a small pack as one file, as a clone does
      unpackLimit: '1',
    }),
    section(['fetch', 'fsck'], Object.fromEntries(HARMLESS_FAULTS.map((name) => [name, 'ignore']))),
    section('submodule', { recurse: 'false' }),
    section(['filter', 'lfs'], { smudge: '', process: '', required: 'false' }),
    section('safe', { bareRepository: 'explicit' }),
    section('gc', { auto: '0' }),
    section('maintenance', { auto: 'false' }),
    section('init', { templateDir: templateFolder, defaultBranch: NO_BRANCH }),
    section('pack', { threads: '1' }),
    section('advice', { detachedHead: 'false' }),
    section('color', { ui: 'false' }),
  ].join('');
}

function section(name: string | readonly [string, string], values: Record<string, string>): string {
  const head = typeof name === 'string' ? name : `${name[0]} ${quoted(name[1])}`;
  const lines = Object.entries(values).map(([key, value]) => `\t${key} = ${quoted(value)}\n`);
  return `[${head}]\n${lines.join('')}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
