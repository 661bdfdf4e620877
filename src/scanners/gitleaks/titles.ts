/** Words of rule ids that are not written as they are spelt there. */
const SPELLINGS: Readonly<Record<string, string>> = {
  '1password': '1Password',
  ad: 'AD',
  age: 'age',
  api: 'API',
  aws: 'AWS',
  ca: 'CA',
  cicd: 'CI/CD',
  circleci: 'CircleCI',
  clickhouse: 'ClickHouse',
  cloudflare: 'Cloudflare',
  crates: 'crates.io',
  curl: 'curl',
  digitalocean: 'DigitalOcean',
  easypost: 'EasyPost',
  gcp: 'Google Cloud',
  github: 'GitHub',
  gitlab: 'GitLab',
  gocardless: 'GoCardless',
  hashicorp: 'HashiCorp',
  hubspot: 'HubSpot',
  huggingface: 'Hugging Face',
  id: 'ID',
  jfrog: 'JFrog',
  jwt: 'JSON web token',
  launchdarkly: 'LaunchDarkly',
  linkedin: 'LinkedIn',
  new: 'New',
  npm: 'npm',
  nuget: 'NuGet',
  oauth: 'OAuth',
  openai: 'OpenAI',
  openshift: 'OpenShift',
  pat: 'personal access token',
  personnal: 'personal',
  planetscale: 'PlanetScale',
  ptt: 'pipeline trigger token',
  pub: 'public',
  putty: 'PuTTY',
  pypi: 'PyPI',
  rrt: 'runner registration token',
  rubygems: 'RubyGems',
  scim: 'SCIM',
  sendgrid: 'SendGrid',
  tf: 'Terraform',
  travisci: 'Travis CI',
  url: 'URL',
  yaml: 'YAML',
};

/** Titles that no rule makes of the id. */
const TITLES: Readonly<Record<string, string>> = {
  'curl-auth-header': 'Credential in a header of a curl command',
  'curl-auth-user': 'User name and password of a curl command',
  'database-url-password': 'Password in the address of a database',
  'docker-config-auth': 'Sign-in to a container registry',
  'generic-api-key': 'Password, key or token',
  'jwt-base64': 'JSON web token in Base64',
  'key-store-file': 'Java key store',
  'kubernetes-secret-yaml': 'Kubernetes secret',
  'netrc-password': 'Password in a netrc file',
  'password-database-file': 'Password database',
  'pkcs12-file': 'PKCS #12 file with a private key',
  'private-key': 'Private key',
  'sidekiq-sensitive-url': 'Sidekiq address with a password',
  'terraform-state-file': 'Terraform state, which holds secrets in the clear',
};

/** What was found, in plain words: gitleaks' own descriptions are a sentence of warning each. */
export function titleOf(ruleId: string): string {
  const known = TITLES[ruleId];
  if (known !== undefined) return known;
  const words = ruleId
    .split('-')
    .map((word, index) => SPELLINGS[word] ?? (index === 0 ? capitalised(word) : word));
  return words.join(' ');
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
