import type { DryRun } from '../../domain/dry-run.ts';
import { dryRunOf } from '../../domain/dry-run.ts';
import { escapeForeignText } from '../../domain/finding.ts';
import type { TokenFacts } from '../../domain/integration.ts';
import type { ApiDeps } from '../deps.ts';
import type { z } from '../shared.ts';
import { presentToken } from './present.ts';
import type { DryRunSchema, NewIntegration, TokenLinkSchema } from './schemas.ts';

/** Tests a token step by step. Stores nothing and sends no message. */
export async function testToken(input: {
  deps: ApiDeps;
  body: z.infer<typeof NewIntegration>;
}): Promise<z.infer<typeof DryRunSchema>> {
  const { deps, body } = input;
  const { token, baseUrl = deps.settings.defaultBaseUrl } = body;
  deps.hashToken(token); // as for any token that arrives: the log knows from here on what it must not show
  const observed = await deps.probe.probe({ baseUrl, token });
  const now = deps.now();
  const run = dryRunOf(observed, { wantsRotation: body.autoRotate?.enabled === true, nowMs: now.getTime() });
  const { verdict, cause, advice, checks, reach } = run;
  return {
    ok: verdict === 'usable',
    verdict,
    cause,
    advice,
    token:
      run.token === null
        ? null
        : presentFacts({ run, token: run.token, now, thresholds: deps.settings.expiryThresholds }),
    checks: checks.map((check) => ({
      ...check,
      detail: check.detail === null ? null : escapeForeignText(check.detail),
    })),
    reach: reach === null ? null : { groups: reach.groups, projects: reach.projects },
  };
}

/** Warnings of the test that an integration would show too. */
const WARNINGS = ['token_overprivileged', 'token_of_a_person'] as const;

function presentFacts(input: { run: DryRun; token: TokenFacts; now: Date; thresholds: readonly number[] }) {
  const { run, token, now, thresholds } = input;
  const reported = new Set(run.checks.map(({ cause }) => cause));
  const warnings = [
    ...WARNINGS.filter((warning) => reported.has(warning)),
    ...(run.reach?.projects === 0 ? (['no_repositories'] as const) : []),
  ];
  const dateOf = (text: string | null) => (text === null ? null : new Date(text));
  return presentToken({
    token: {
      gitlabTokenId: token.gitlabTokenId,
      name: token.name,
      scopes: token.scopes,
      granular: token.granular,
      mayRotate: token.mayRotate,
      ownerUsername: token.owner.username,
      ownerKind: token.owner.kind,
      createdAt: dateOf(token.createdAt),
      lastUsedAt: dateOf(token.lastUsedAt),
      replacedAt: null,
      expiry: token.expiry,
      flag: null,
      flaggedAt: null,
    },
    warnings,
    rotatable: { verdict: 'active', cause: null, inDoubt: false },
    thresholds,
    now,
  });
}

/**
 * Link to GitLab's token form with name, description and scopes filled in; it accepts no expiry date. Older releases drop
 * unknown scopes. Source: GitLab, `app/controllers/user_settings/personal_access_tokens_controller.rb`.
 */
export function tokenLink(input: { baseUrl: string; renew: boolean }): z.infer<typeof TokenLinkSchema> {
  const scopes = ['read_api', 'read_repository', ...(input.renew ? ['self_rotate'] : [])];
  const query = new URLSearchParams({
    name: 'Secu',
    description: 'Repository scanning',
    scopes: scopes.join(','),
  });
  return { url: `${input.baseUrl}/-/user_settings/personal_access_tokens?${query.toString()}`, scopes };
}
