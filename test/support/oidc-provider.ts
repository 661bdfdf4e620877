import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import type { Configuration } from 'oidc-provider';
import Provider from 'oidc-provider';
import { Agent, fetch } from 'undici';
import type { TestCa } from './test-ca.ts';

export const CLIENT_ID = 'secu';
export const CLIENT_SECRET = ['a', 'secret', 'of', 'the', 'test', 'only'].join('-');

/** The claims of a user at the provider. */
export interface Person {
  sub: string;
  [claim: string]: unknown;
}

export interface TestProvider {
  issuer: string;
  /** The user of the next sign-in; `null` refuses it. */
  person: Person | null;
  /** Changes the ID token before it is sent; the length must stay the same. */
  forge: ((idToken: string) => string) | null;
  /** Responds to everything with this status instead. */
  failing: number | null;
  /** Requested paths. */
  asked: string[];
  /** Acts as a browser: starts at Secu, signs in at the provider, follows the redirect back. @returns the URL of that redirect */
  visit(address: string): Promise<string>;
  close(): Promise<void>;
}

/** A real OpenID provider on loopback, with a certificate of the test's own authority. */
export async function startProvider(input: {
  ca: TestCa;
  redirectUri: string;
  change?: Partial<Configuration>;
}): Promise<TestProvider> {
  const tls = await input.ca.issue({ names: ['127.0.0.1'] });
  const server = createServer(tls);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const agent = new Agent({ connect: { ca: input.ca.caPem } });
  const people = new Map<string, Person>();
  // it warns about in-memory keys and rows, which a test uses on purpose
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => {});
  const provider = new Provider(issuer, configurationOf({ ...input, people }));
  warned.mockRestore();
  const answer = provider.callback();

  const state: TestProvider = {
    issuer,
    person: null,
    forge: null,
    failing: null,
    asked: [],
    visit: (address) => browse({ address, agent, issuer }),
    async close() {
      await agent.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', issuer).pathname;
    state.asked.push(path);
    if (state.failing !== null) {
      response.writeHead(state.failing).end();
      return;
    }
    if (path.startsWith('/sign-in/')) return signIn(request, response);
    if (path === '/token' && state.forge !== null) forgeAnswer(response, state.forge);
    await answer(request, response);
  }

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { person } = state;
    if (person !== null) people.set(person.sub, person);
    const result =
      person === null
        ? { error: 'access_denied', error_description: 'not today' }
        : { login: { accountId: person.sub } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }

  server.on('request', (request, response) => {
    handle(request, response).catch((err: unknown) => response.destroy(err as Error));
  });
  return state;
}

function configurationOf(input: {
  redirectUri: string;
  people: Map<string, Person>;
  change?: Partial<Configuration>;
}): Configuration {
  return {
    clients: [{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, redirect_uris: [input.redirectUri] }],
    claims: { openid: ['sub'], profile: ['preferred_username'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    cookies: { keys: ['test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/sign-in/${interaction.uid}` },
    ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
    pkce: { required: () => true },
    async findAccount(_context, sub) {
      const person = input.people.get(sub);
      return person === undefined ? undefined : { accountId: sub, claims: async () => person };
    },
    async loadExistingGrant(context) {
      const { client, session } = context.oidc;
      if (client === undefined || session?.accountId === undefined) return undefined;
      const grant = new context.oidc.provider.Grant({
        clientId: client.clientId,
        accountId: session.accountId,
      });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
    ...input.change,
  };
}

function forgeAnswer(response: ServerResponse, forge: (idToken: string) => string): void {
  const end = response.end.bind(response) as (chunk: string) => ServerResponse;
  response.end = ((chunk: unknown) =>
    end(
      String(chunk).replace(
        /("id_token":")([^"]+)/,
        (_all, name: string, token: string) => name + forge(token),
      ),
    )) as typeof response.end;
}

/** Follows the redirects of the provider, with its cookies, until one leads to another origin. */
async function browse({
  address,
  agent,
  issuer,
}: {
  address: string;
  agent: Agent;
  issuer: string;
}): Promise<string> {
  const cookies = new Map<string, string>();
  let next = address;
  for (let hops = 0; hops < 10 && next.startsWith(`${issuer}/`); hops += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(next, { dispatcher: agent, redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`the provider responded with ${response.status}: ${await response.text()}`);
    next = new URL(location, next).href;
  }
  return next;
}
