// An identity provider for the checks: npm oidc-provider with the claims of the national sign-in
// and people who are made up (ids with the prefix 099). Whoever stands at its page chooses as whom
// and at which level to come back; nothing is remembered but its own session.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';

const CLAIMS = ['HoVaTen', 'SoDinhDanh', 'NgayThangNamSinh', 'LoaiTaiKhoan', 'SoCMND'];
/** Assurance levels, the second of which is strong. */
export const LEVELS = ['1', '2'];

function key(kind, options, alg) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: `${alg}-1` };
}

/** Listens on a port; answers 503 until `begin`. `accounts`: claims by subject. */
export async function listen(port) {
  const state = { callback: null, override: null, asked: [] };
  const server = http.createServer((request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    state.asked.push(path);
    if (state.override?.(path, request, response)) return;
    if (!state.callback) {
      response.writeHead(503).end();
      return;
    }
    state.callback(request, response);
  });
  await new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', done);
  });

  /** From now on it is a provider for this client. */
  const begin = (accounts, client) => {
    const provider = new Provider(`http://127.0.0.1:${port}`, {
      clients: [{ grant_types: ['authorization_code'], response_types: ['code'], ...client }],
      jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ec', { namedCurve: 'P-256' }, 'ES256')] },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      claims: { openid: ['sub', ...CLAIMS] },
      acrValues: LEVELS,
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_, sub) => accounts[sub] && { accountId: sub, claims: () => ({ sub, ...accounts[sub] }) },
      // This client is the state's: nobody is asked whether it may know the claims.
      loadExistingGrant: async (ctx) => {
        const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid');
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback();
    state.callback = async (request, response) => {
      const url = new URL(request.url, 'http://x');
      const [, area, , act] = url.pathname.split('/');
      if (area !== 'interaction') return answer(request, response);
      if (act === 'login') {
        const [accountId, acr] = [url.searchParams.get('account'), url.searchParams.get('acr')];
        return provider.interactionFinished(request, response, { login: { accountId, acr } });
      }
      if (act === 'abort') return provider.interactionFinished(request, response, { error: 'access_denied' });
      const way = (to, words) => `<li><a href="${url.pathname}/${to}">${words}</a></li>`;
      const all = Object.keys(accounts).flatMap((sub) => LEVELS.map((acr) => way(`login?account=${sub}&acr=${acr}`, `${sub} ${acr}`)));
      response.setHeader('content-type', 'text/html; charset=utf-8');
      return response.end(`<!doctype html><title>provider</title><ul>${all.join('')}${way('abort', 'stop')}</ul>`);
    };
  };

  return {
    begin,
    asked: state.asked,
    /** Answers some paths otherwise; null: as usual. */
    override: (way) => { state.override = way; },
    close: () => { server.closeAllConnections(); server.close(); },
  };
}
