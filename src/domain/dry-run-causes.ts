import type { InvalidCause, ReachabilityCause } from './causes.ts';

/** Checks of a dry run, in the order in which a person would debug. */
export const CHECK_NAMES = [
  'origin',
  'dns',
  'tcp',
  'tls',
  'gitlab',
  'token_shape',
  'alive',
  'owner',
  'scopes',
  'expiry',
  'list',
  'clone',
  'reach',
  'rate_limit',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

interface About {
  /** The cause that an integration would show for it; `null` for what is only a warning. */
  as: InvalidCause | ReachabilityCause | 'origin_not_allowed' | null;
  advice: string;
}

const NEW_TOKEN = 'Create a personal, group or project access token, or one of a service account';

/** Kinds of tokens that cannot call the API, as GitLab's documentation of prefixes names them. */
const WRONG_KINDS = {
  token_is_deploy_token: 'This is a deploy token',
  token_is_job_token: 'This is a CI/CD job token',
  token_is_runner_token: 'This is a runner token',
  token_is_trigger_token: 'This is a pipeline trigger token',
  token_is_feed_token: 'This is a feed token',
  token_is_incoming_mail_token: 'This is an incoming mail token',
  token_is_agent_token: 'This is a token of an agent for Kubernetes',
  token_is_workspace_token: 'This is a workspace token',
  token_is_scim_token: 'This is a SCIM token',
  token_is_feature_flags_token: 'This is a feature flags client token',
  token_is_oauth_secret: 'This is the secret of an OAuth application',
} as const;
export type WrongKindCause = keyof typeof WRONG_KINDS;

function wrongKinds(): Record<WrongKindCause, About> {
  const entries = Object.entries(WRONG_KINDS).map(([cause, says]) => [
    cause,
    { as: 'token_wrong_kind', advice: `${says}, which cannot call the API. ${NEW_TOKEN}.` },
  ]);
  return Object.fromEntries(entries) as Record<WrongKindCause, About>;
}

/** Every cause that a check of a dry run can name: a closed table, which the docs print. */
export const DRY_RUN_CAUSES = {
  // origin
  origin_not_allowed: {
    as: 'origin_not_allowed',
    advice: 'This address is not allowed. An administrator can add it to SECU_GITLAB_ORIGINS.',
  },
  plain_http: {
    as: null,
    advice: 'The token travels unencrypted. Use the https address of this GitLab if it has one.',
  },
  // dns
  dns_name_not_found: {
    as: 'gitlab_unreachable',
    advice: 'DNS does not know this host. Check the spelling, and that Secu uses your internal DNS.',
  },
  dns_no_answer: {
    as: 'gitlab_unreachable',
    advice: 'The DNS server does not answer. Check the resolver of the Secu host.',
  },
  address_not_allowed: {
    as: 'gitlab_unreachable',
    advice:
      'The host resolves to a private or reserved address. If that is intended, an administrator can add its network to SECU_ALLOWED_NETWORKS.',
  },
  // tcp
  connection_refused: {
    as: 'gitlab_unreachable',
    advice: 'Nothing listens on this port. Check the port, and that GitLab is running.',
  },
  connection_timed_out: {
    as: 'gitlab_unreachable',
    advice: 'The connection timed out. A firewall between Secu and GitLab probably drops it.',
  },
  no_route: {
    as: 'gitlab_unreachable',
    advice: 'There is no route to this address. Check the network of the Secu host.',
  },
  connection_reset: {
    as: 'gitlab_unreachable',
    advice: 'The connection was closed before an answer arrived. Check GitLab and any proxy in between.',
  },
  proxy_refused: {
    as: 'gitlab_unreachable',
    advice:
      'The outbound proxy refuses this host or requires a sign-in. Check SECU_PROXY_URL and the proxy rules.',
  },
  // tls
  tls_certificate_expired: {
    as: 'gitlab_tls_failed',
    advice: 'The certificate of this host has expired. Its administrator must renew it.',
  },
  tls_certificate_not_yet_valid: {
    as: 'gitlab_tls_failed',
    advice: 'The certificate is not valid yet. Check the clocks of both machines.',
  },
  tls_certificate_wrong_host: {
    as: 'gitlab_tls_failed',
    advice: 'The certificate is for another name. Use that name in the base URL.',
  },
  tls_certificate_self_signed: {
    as: 'gitlab_tls_failed',
    advice:
      'The certificate is self-signed. Add it with SECU_CA_FILE, or install one from a trusted authority in GitLab.',
  },
  tls_certificate_untrusted: {
    as: 'gitlab_tls_failed',
    advice:
      'The certificate is signed by an unknown authority, or an intermediate certificate is missing. Add the root certificate with SECU_CA_FILE.',
  },
  tls_not_spoken: {
    as: 'gitlab_tls_failed',
    advice: 'This port does not speak TLS. Check the port, or use the http address if it is allowed.',
  },
  tls_handshake_failed: {
    as: 'gitlab_tls_failed',
    advice: 'The TLS handshake failed. The server may only support TLS older than 1.2.',
  },
  tls_certificate_expires_soon: {
    as: null,
    advice: 'The certificate of this GitLab expires within two weeks. Inform its administrator.',
  },
  // gitlab
  redirected_to_sign_in: {
    as: 'not_gitlab',
    advice:
      'A sign-in page is in front of GitLab. Let API requests through, or use an address that reaches the API.',
  },
  redirected_to_https: {
    as: 'gitlab_redirected',
    advice: 'The address redirects to https. Use the https address as base URL.',
  },
  redirected_to_www: {
    as: 'gitlab_redirected',
    advice: 'The address redirects to the one with or without "www". Use the redirect target.',
  },
  redirected_elsewhere: {
    as: 'gitlab_redirected',
    advice:
      'The address redirects to another one, and Secu never sends a token to a redirect target. Use the target as the base URL.',
  },
  page_instead_of_api: {
    as: 'not_gitlab',
    advice: 'A web page answers instead of the API. Check the base URL and any proxy in front of it.',
  },
  basic_sign_in_in_front: {
    as: 'gitlab_reply_unreadable',
    advice: 'A proxy in front of GitLab requires a user name and password. Let API requests through.',
  },
  wrong_path: {
    as: 'not_gitlab',
    advice:
      'There is no GitLab API at this address. If GitLab is installed in a sub-path, add it to the base URL.',
  },
  gitlab_too_old: {
    as: 'not_gitlab',
    advice: 'This GitLab is older than 15.5 and has no API for token details. Upgrade it.',
  },
  bot_challenge: {
    as: 'gitlab_unreachable',
    advice: 'A bot protection answers instead of GitLab. Allow the address of Secu there.',
  },
  address_blocked: {
    as: 'gitlab_unreachable',
    advice: 'GitLab, or a proxy in front of it, blocks the address of Secu. Allow it there.',
  },
  gitlab_maintenance: {
    as: 'gitlab_unreachable',
    advice: 'GitLab is in maintenance or overloaded (503). Try again later.',
  },
  gitlab_gateway_error: {
    as: 'gitlab_unreachable',
    advice: 'The gateway in front of GitLab gets no answer from it. Try again later, or check GitLab.',
  },
  gitlab_server_error: {
    as: 'gitlab_unreachable',
    advice: 'GitLab had an internal error. Try again later, or check its logs.',
  },
  gitlab_rate_limited: {
    as: 'gitlab_rate_limited',
    advice: 'GitLab limits the request rate. Try again in a minute.',
  },
  gitlab_reply_unreadable: {
    as: 'gitlab_reply_unreadable',
    advice: 'The answer is not in the format of GitLab. Check for a proxy that changes it.',
  },
  no_answer_in_time: {
    as: 'gitlab_unreachable',
    advice: 'The answer did not arrive within the time limit of the test. GitLab may be overloaded.',
  },
  // token_shape
  ...wrongKinds(),
  // alive
  token_expired: { as: 'token_expired', advice: `This token has expired. ${NEW_TOKEN}.` },
  token_revoked: { as: 'token_revoked', advice: `This token was revoked at GitLab. ${NEW_TOKEN}.` },
  token_rejected: {
    as: 'token_rejected',
    advice:
      'GitLab does not know this token. Copy all of it again, and check that it belongs to this address.',
  },
  token_wrong_kind: {
    as: 'token_wrong_kind',
    advice: `GitLab says that this is not a personal access token. ${NEW_TOKEN}.`,
  },
  impersonation_switched_off: {
    as: 'token_rejected',
    advice: 'Impersonation tokens are disabled on this GitLab. Use another kind of token.',
  },
  dpop_required: {
    as: 'token_rejected',
    advice:
      'The token owner requires proof of possession (DPoP), which Secu does not support. Use a token of a service account.',
  },
  account_blocked: {
    as: 'account_blocked',
    advice:
      'The account that owns the token is blocked or deactivated. A GitLab administrator can restore it.',
  },
  account_not_confirmed: {
    as: 'account_blocked',
    advice: 'The account that owns the token has not confirmed its email address. Confirm it first.',
  },
  account_must_accept_terms: {
    as: 'account_blocked',
    advice: 'The token owner must accept the terms of service: sign in to GitLab once.',
  },
  account_password_expired: {
    as: 'account_blocked',
    advice: 'The password of the account that owns the token has expired. Set a new one.',
  },
  token_may_not_read_itself: {
    as: null,
    advice:
      'A fine-grained token without "Personal Access Token: Read": Secu cannot read its expiry date. Add the permission, or enter the date manually.',
  },
  // owner
  token_of_a_person: {
    as: null,
    advice:
      'The token belongs to a person and stops working when they lose access. Prefer a group service account.',
  },
  owner_unknown: {
    as: null,
    advice: 'The token may not read its owner. Secu works without it; add read_api to see the owner.',
  },
  // scopes
  scope_missing_list: {
    as: 'token_scope_missing',
    advice: 'The token cannot list projects. Create one with read_api (and read_repository).',
  },
  scope_missing_rotate: {
    as: null,
    advice: 'The token cannot rotate itself. Add self_rotate (GitLab 17.9) if Secu should rotate it.',
  },
  token_overprivileged: {
    as: null,
    advice: 'The token has more permissions than Secu needs. read_api and read_repository are enough.',
  },
  // expiry
  expires_soon: { as: null, advice: 'The token expires within two weeks. Consider creating a new one.' },
  expiry_unknown: {
    as: null,
    advice: 'GitLab does not say when the token expires. Enter the date manually.',
  },
  // list
  fine_grained_required: {
    as: 'token_scope_missing',
    advice:
      'The group accepts only fine-grained personal tokens. Use one with Project: Read and Code: Download, or a token of a service account.',
  },
  permission_missing_list: {
    as: 'token_scope_missing',
    advice: 'The fine-grained token lacks "Project: Read". Add it, and "Code: Download".',
  },
  // clone
  scope_missing_clone: {
    as: 'token_scope_missing',
    advice: 'The token can list projects but not clone. Create one that also has read_repository.',
  },
  permission_missing_clone: {
    as: 'token_scope_missing',
    advice: 'The fine-grained token lacks "Code: Download". Add it.',
  },
  sso_session_required: {
    as: 'sso_session_required',
    advice: 'The group requires single sign-on for Git. A token of a group service account is exempt.',
  },
  git_unreachable: {
    as: 'gitlab_unreachable',
    advice: 'The API answers, but Git over HTTP does not. Check the proxy in front of GitLab.',
  },
  git_redirected: {
    as: 'gitlab_redirected',
    advice:
      'Git requests are redirected, and Secu never sends a token to a redirect target. Use the target address.',
  },
  git_rate_limited: {
    as: 'gitlab_rate_limited',
    advice:
      'GitLab limits Git requests from this address, perhaps after failed sign-ins. The limit ends within 15 minutes.',
  },
  clone_not_proven: {
    as: null,
    advice:
      'Git could not read any of the tested repositories, each for its own reason. Check the role of the token owner there.',
  },
  git_over_http_off: {
    as: null,
    advice: 'Git over HTTP is disabled, so nothing can be cloned. A GitLab administrator can enable it.',
  },
  // reach
  no_repositories: {
    as: null,
    advice: 'The token works, but its owner is a member of no project. Add the owner to groups as Reporter.',
  },
  service_account_not_invited: {
    as: null,
    advice: 'The service account is a member of no group. Invite it to the groups to scan as Reporter.',
  },
  role_too_low: {
    as: null,
    advice: 'The owner is only Guest or Planner everywhere. Reading code requires Reporter.',
  },
  // rate_limit
  rate_limit_low: {
    as: null,
    advice:
      'Most of the current rate limit of this token is used up, perhaps by another program that uses it.',
  },
} as const satisfies Record<string, About>;
export type DryRunCause = keyof typeof DRY_RUN_CAUSES;
