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
    advice: 'Secu is not set up for this address. An administrator adds it to SECU_GITLAB_ORIGINS.',
  },
  plain_http: {
    as: null,
    advice: 'The token travels unencrypted. Use the https address of this GitLab if it has one.',
  },
  // dns
  dns_name_not_found: {
    as: 'gitlab_unreachable',
    advice: 'No DNS server knows this host. Check its spelling, and that Secu uses your internal DNS.',
  },
  dns_no_answer: {
    as: 'gitlab_unreachable',
    advice: 'The DNS server does not answer. Check the resolver of the machine that Secu runs on.',
  },
  address_not_allowed: {
    as: 'gitlab_unreachable',
    advice:
      'The host resolves to a private or reserved address. If that is right, an administrator adds its network to SECU_ALLOWED_NETWORKS.',
  },
  // tcp
  connection_refused: {
    as: 'gitlab_unreachable',
    advice: 'Nothing listens on this port. Check the port, and that GitLab is up.',
  },
  connection_timed_out: {
    as: 'gitlab_unreachable',
    advice: 'The connection is swallowed. A firewall between Secu and GitLab has to let it through.',
  },
  no_route: {
    as: 'gitlab_unreachable',
    advice: 'There is no route to this address. Check the network of the machine that Secu runs on.',
  },
  connection_reset: {
    as: 'gitlab_unreachable',
    advice: 'The connection was cut before an answer. Look at GitLab and at proxies in between.',
  },
  proxy_refused: {
    as: 'gitlab_unreachable',
    advice: 'The outbound proxy refuses this host or wants a sign-in. Check SECU_PROXY_URL and its rules.',
  },
  // tls
  tls_certificate_expired: {
    as: 'gitlab_tls_failed',
    advice: 'The certificate of this host has expired. Whoever runs it renews it.',
  },
  tls_certificate_not_yet_valid: {
    as: 'gitlab_tls_failed',
    advice: 'The certificate is not valid yet. Check the clocks of both machines.',
  },
  tls_certificate_wrong_host: {
    as: 'gitlab_tls_failed',
    advice: 'The certificate is for another name. Use the name that it is made for as base URL.',
  },
  tls_certificate_self_signed: {
    as: 'gitlab_tls_failed',
    advice: 'The certificate signs itself. Name it in SECU_CA_FILE, or give GitLab one of a known authority.',
  },
  tls_certificate_untrusted: {
    as: 'gitlab_tls_failed',
    advice:
      'The certificate is signed by an authority that Secu does not know, or an intermediate one is missing. Name the root in SECU_CA_FILE.',
  },
  tls_not_spoken: {
    as: 'gitlab_tls_failed',
    advice: 'This port does not speak TLS. Check the port, or use the http address if it is allowed.',
  },
  tls_handshake_failed: {
    as: 'gitlab_tls_failed',
    advice: 'No secure connection came about. The server may speak TLS older than 1.2 only.',
  },
  tls_certificate_expires_soon: {
    as: null,
    advice: 'The certificate of this GitLab expires within two weeks. Tell whoever runs it.',
  },
  // gitlab
  redirected_to_sign_in: {
    as: 'not_gitlab',
    advice: 'A sign-in page stands before GitLab. Let the API through, or use an address that reaches it.',
  },
  redirected_to_https: {
    as: 'gitlab_redirected',
    advice: 'The address redirects to https. Use the https address as base URL.',
  },
  redirected_to_www: {
    as: 'gitlab_redirected',
    advice: 'The address redirects to itself with or without "www". Use the one that it points to.',
  },
  redirected_elsewhere: {
    as: 'gitlab_redirected',
    advice: 'The address redirects to another one, where a token is never sent. Use that one as base URL.',
  },
  page_instead_of_api: {
    as: 'not_gitlab',
    advice: 'A web page answers where the API should. Check the base URL and any proxy in front of it.',
  },
  basic_sign_in_in_front: {
    as: 'gitlab_reply_unreadable',
    advice: 'Something before GitLab wants a user and a password. Let the API through there.',
  },
  wrong_path: {
    as: 'not_gitlab',
    advice:
      'There is no GitLab API below this address. If GitLab lives in a sub-path, add it to the base URL.',
  },
  gitlab_too_old: {
    as: 'not_gitlab',
    advice: 'This GitLab is older than 15.5 and cannot tell about tokens. It has to be upgraded.',
  },
  bot_challenge: {
    as: 'gitlab_unreachable',
    advice: 'A bot protection answers instead of GitLab. Let the address of Secu pass there.',
  },
  address_blocked: {
    as: 'gitlab_unreachable',
    advice: 'The address of Secu is refused, by GitLab or something before it. Allow it there.',
  },
  gitlab_maintenance: {
    as: 'gitlab_unreachable',
    advice: 'GitLab is in maintenance or overloaded (503). Try again later.',
  },
  gitlab_gateway_error: {
    as: 'gitlab_unreachable',
    advice: 'The gateway before GitLab gets no answer from it. Try again later, or look at GitLab.',
  },
  gitlab_server_error: {
    as: 'gitlab_unreachable',
    advice: 'GitLab had an error of its own. Try again later; its logs know more.',
  },
  gitlab_rate_limited: {
    as: 'gitlab_rate_limited',
    advice: 'GitLab asks to slow down. Try again in a minute.',
  },
  gitlab_reply_unreadable: {
    as: 'gitlab_reply_unreadable',
    advice: 'The answer is not one of GitLab. Look for a proxy that changes it.',
  },
  no_answer_in_time: {
    as: 'gitlab_unreachable',
    advice: 'The answer did not come within the seconds that a test has. GitLab may be overloaded.',
  },
  // token_shape
  ...wrongKinds(),
  // alive
  token_expired: { as: 'token_expired', advice: `This token has expired. ${NEW_TOKEN}.` },
  token_revoked: { as: 'token_revoked', advice: `This token was revoked at GitLab. ${NEW_TOKEN}.` },
  token_rejected: {
    as: 'token_rejected',
    advice:
      'GitLab does not know this token. Copy it again, whole, and check that it belongs to this address.',
  },
  token_wrong_kind: {
    as: 'token_wrong_kind',
    advice: `GitLab says that this is no personal access token. ${NEW_TOKEN}.`,
  },
  impersonation_switched_off: {
    as: 'token_rejected',
    advice: 'Impersonation tokens are switched off on this GitLab. Use a token of another kind.',
  },
  dpop_required: {
    as: 'token_rejected',
    advice:
      'The owner demands proof of possession (DPoP) with each call, which Secu does not send. Use a token of a service account.',
  },
  account_blocked: {
    as: 'account_blocked',
    advice: 'The account that owns the token is blocked or deactivated. A GitLab administrator restores it.',
  },
  account_not_confirmed: {
    as: 'account_blocked',
    advice:
      'The account that owns the token has not confirmed its e-mail address. Its owner does that first.',
  },
  account_must_accept_terms: {
    as: 'account_blocked',
    advice: 'The owner of the token has to accept the terms of service: sign in to GitLab once.',
  },
  account_password_expired: {
    as: 'account_blocked',
    advice: 'The password of the account that owns the token has expired. Its owner sets a new one.',
  },
  token_may_not_read_itself: {
    as: null,
    advice:
      'A fine-grained token without "Personal Access Token: Read": Secu cannot see when it expires. Add it, or enter the date by hand.',
  },
  // owner
  token_of_a_person: {
    as: null,
    advice: 'The token belongs to a person and dies with their access. A group service account lasts.',
  },
  owner_unknown: {
    as: null,
    advice: 'The token may not say whose it is. That is fine; add read_api to see it.',
  },
  // scopes
  scope_missing_list: {
    as: 'token_scope_missing',
    advice: 'The token cannot list projects. Create one with read_api (and read_repository).',
  },
  scope_missing_rotate: {
    as: null,
    advice: 'The token cannot renew itself. Add self_rotate (GitLab 17.9) if Secu is to rotate it.',
  },
  token_overprivileged: {
    as: null,
    advice: 'The token can do more than Secu needs. read_api and read_repository are enough.',
  },
  // expiry
  expires_soon: { as: null, advice: 'The token expires within two weeks. Better begin with a fresh one.' },
  expiry_unknown: {
    as: null,
    advice: 'GitLab does not tell when the token expires. Enter the date by hand.',
  },
  // list
  fine_grained_required: {
    as: 'token_scope_missing',
    advice:
      'The group accepts only fine-grained tokens of people. Use one with Project: Read and Code: Download, or a token of a service account.',
  },
  permission_missing_list: {
    as: 'token_scope_missing',
    advice: 'The fine-grained token lacks "Project: Read". Add it, and "Code: Download".',
  },
  // clone
  scope_missing_clone: {
    as: 'token_scope_missing',
    advice: 'The token lists but may not clone. Create one with read_repository as well.',
  },
  permission_missing_clone: {
    as: 'token_scope_missing',
    advice: 'The fine-grained token lacks "Code: Download". Add it.',
  },
  sso_session_required: {
    as: 'sso_session_required',
    advice: 'The group wants single sign-on for Git. A token of a group service account is exempt.',
  },
  git_unreachable: {
    as: 'gitlab_unreachable',
    advice: 'The API answers and Git over HTTP does not. Look at what stands before GitLab.',
  },
  git_redirected: {
    as: 'gitlab_redirected',
    advice: 'Git is redirected, where a token is never sent. Use the address that it points to.',
  },
  git_rate_limited: {
    as: 'gitlab_rate_limited',
    advice: 'GitLab limits Git for this address, perhaps after failed sign-ins. It passes within 15 minutes.',
  },
  clone_not_proven: {
    as: null,
    advice:
      'No repository could be read to prove it: each refused for reasons of its own. See its role there.',
  },
  git_over_http_off: {
    as: null,
    advice: 'Git over HTTP is switched off here, so nothing can be cloned. A GitLab administrator allows it.',
  },
  // reach
  no_repositories: {
    as: null,
    advice: 'The token works and reaches no project as a member. Add its owner to groups, as Reporter.',
  },
  service_account_not_invited: {
    as: null,
    advice: 'The service account is a member of nothing. Invite it to the groups to scan, as Reporter.',
  },
  role_too_low: {
    as: null,
    advice: 'The owner is only Guest or Planner everywhere. Reading code takes Reporter.',
  },
  // rate_limit
  rate_limit_low: {
    as: null,
    advice: 'Most of what GitLab allows this token now is used up, perhaps by something else that uses it.',
  },
} as const satisfies Record<string, About>;
export type DryRunCause = keyof typeof DRY_RUN_CAUSES;
