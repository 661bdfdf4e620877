/** The settings of one call of git. */
export interface GitConfigInput {
  protocol: 'http' | 'https';
  /** Base address below which the credential may be sent. */
  scope: string;
  /** The whole header that carries the credential. */
  header: string;
  /** `host:port:address`: the address that was checked. */
  pin: string | null;
  proxy: string | null;
  caFile: string | null;
  templateFolder: string;
  lowSpeedSeconds: number;
}

/**
 * What `HEAD` of a clone names when the server said nothing of branches. A server that speaks git's protocol names the
 * branch even of a repository without a commit; a web page that answers 200 to everything does not, and git takes it
 * for an empty repository.
 * @see gitprotocol-v2(5), `unborn`; git, `remote-curl.c`, the protocol without `git-upload-pack`
 */
export const NO_BRANCH = 'secu-was-told-no-branch';

/** Blobs larger than this are streamed, not held in memory. */
const BIG_FILE = '16m';

/**
 * Faults of objects that are harmless here, because nothing is checked out and only blobs are read: headers of commits and
 * tags, and files that configure a checkout. Old and imported repositories have them.
 * What is not listed is refused and named: paths that leave the tree or name `.git`, trees that are unsorted or hold a path
 * twice, null and broken ids, unterminated headers.
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
 * The only configuration that git reads: no hook, filter, helper, redirect or protocol but the one. The header is
 * scoped and redirects are off; git would otherwise carry it to another host.
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
      // the limit of memory counts what is mapped
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
      // a small pack stays one file, as in a clone
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
