import type { Recipe } from './recipe.ts';
import { scene } from './scene.ts';
import { createSecrets } from './secrets.ts';

/** Projects in which scanners must find nothing. */
export function cleanRecipes(): Recipe[] {
  return [library(), handbook()];
}

function library(): Recipe {
  return {
    name: 'library',
    about: 'public, clean, plain',
    path: 'acme/library',
    project: { visibility: 'public' },
    commits: () => [
      { message: 'Begin', files: { 'README.md': '# Library\n', LICENSE: 'Apache-2.0\n' } },
      { message: 'Add sum', files: { 'src/sum.js': 'export const sum = (a, b) => a + b;\n' } },
    ],
    expect: { listed: true, findings: [], cleanPaths: ['README.md', 'LICENSE', 'src/sum.js'] },
  };
}

function handbook(): Recipe {
  const secrets = createSecrets('handbook');
  const example = ['AK', 'IAIOSFODNN7', 'EXAMPLE'].join('');
  const publicKey = Array.from({ length: 6 }, () => secrets.alphanumeric(64));
  const { files } = scene({
    'docs/aws.md': [
      '# Credentials',
      `Never commit \`AWS_ACCESS_KEY_ID=${example}\`; use a role.`,
      'AWS_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY',
      'password: changeme',
    ],
    'docs/tokens.md': [
      `GitHub tokens begin with \`${['gh', 'p_'].join('')}\`, then 36 characters: ${['gh', 'p_'].join('')}${'x'.repeat(36)}`,
      `GitLab's look like ${['gl', 'pat-'].join('')}${'x'.repeat(20)}`,
      `Slack's: ${['xo', 'xb-'].join('')}1111-2222`,
      'A JSON web token is header.payload.signature.',
    ],
    'src/config.js': [
      'export const apiKey = process.env.API_KEY;',
      'export const token = await vault.read("secret/data/token");',
      'const password = prompt("Password: ");',
      'const passwordHash = await hash(password, { rounds: 12 });',
    ],
    '.github/workflows/ci.yml': ['env:', `  TOKEN: \${{ secrets.GITHUB_TOKEN }}`, `  API_KEY: \${API_KEY}`],
    'keys/public.pem': [`-----BEGIN ${'PUBLIC KEY'}-----`, ...publicKey, `-----END ${'PUBLIC KEY'}-----`],
    'keys/deploy.pub': [`ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${secrets.alphanumeric(43)} robin@example.com`],
    'package-lock.json': [
      '{ "lockfileVersion": 3, "packages": {',
      `  "node_modules/left-pad": { "integrity": "sha512-${secrets.alphanumeric(86)}==" }`,
      '} }',
    ],
    CHECKSUMS: [`${secrets.hex(64)}  handbook.pdf`, `${secrets.hex(64)}  handbook.epub`],
    'src/ids.ts': [
      `export const tenant = '${uuid(secrets.hex(32))}';`,
      `export const release = '${secrets.hex(40)}';`,
      'export const keyboardLayout = "qwertz";',
    ],
    'assets/logo.svg': [`<svg><image href="data:image/png;base64,${secrets.alphanumeric(400)}"/></svg>`],
  });
  return {
    name: 'handbook',
    about: 'clean, and full of what looks like secrets',
    path: 'acme/handbook',
    commits: () => [{ message: 'Explain how we keep secrets', files }],
    expect: { listed: true, findings: [], cleanPaths: Object.keys(files) },
  };
}

function uuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
