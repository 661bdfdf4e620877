/** Spelling of the words of rule ids. */
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

/** Titles that cannot be derived from the rule id. */
const TITLES: Readonly<Record<string, string>> = {
  'ansible-password': 'Password in an Ansible inventory',
  'aws-secret-access-key': 'AWS secret access key',
  'azure-storage-account-key': 'Key of an Azure storage account',
  'command-line-password': 'Password in the arguments of a command',
  'config-file-password': 'Password in a configuration file',
  'connection-string-password': 'Password in a connection string',
  'curl-auth-header': 'Credential in a header of a curl command',
  'curl-auth-user': 'User name and password of a curl command',
  'database-url-password': 'Password in the address of a database',
  'docker-config-auth': 'Sign-in to a container registry',
  'docker-hub-token': 'Docker Hub access token',
  'generic-api-key': 'Password, key or token',
  'generic-url-password': 'User name and password in a web address',
  'google-oauth-client-secret': 'Google OAuth client secret',
  'htpasswd-hash': 'Password hash with its user name',
  'json-web-key': 'Private JSON web key',
  'jwt-base64': 'JSON web token in Base64',
  'key-store-file': 'Java key store',
  'kubernetes-secret-yaml': 'Kubernetes secret',
  'netrc-password': 'Password in a netrc file',
  'password-database-file': 'Password database',
  'pgpass-password': 'Password in a PostgreSQL password file',
  'pkcs12-file': 'PKCS #12 file with a private key',
  'private-key': 'Private key',
  'putty-private-key': 'Private key of PuTTY',
  'sidekiq-sensitive-url': 'Sidekiq address that signs in',
  'ssh2-private-key': 'Private key in the format of SSH2',
  'terraform-state-file': 'Terraform state, which holds secrets in the clear',
  'wireguard-private-key': 'Private key of WireGuard',
  'wordpress-password': 'Password in the configuration of WordPress',
  'xml-password': 'Password in an XML file',
};

/** The title of a finding, in a few words; the descriptions of gitleaks are whole sentences. */
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
