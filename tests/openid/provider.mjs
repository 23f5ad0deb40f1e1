// A certified OpenID provider (oidc-provider) over TLS, whose people sign in without a page: who they are and what they
// showed stands in header fields of the browser's requests. Configuration: the file that is named by the only argument.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { Provider } from "oidc-provider";

const externalIds = new Map(); // by account
const config = JSON.parse(readFileSync(process.argv[2]));
const provider = new Provider(config.issuer, {
  clients: config.clients,
  jwks: config.jwks,
  cookies: { keys: ["for tests alone"] },
  features: { devInteractions: { enabled: false } },
  conformIdTokenClaims: false,
  acrValues: ["urn:example:mfa", "urn:example:password"],
  claims: { openid: ["sub", "oid"], acr: null },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, oid: externalIds.get(id) }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  ttl: { IdToken: 300, AuthorizationCode: 60, Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 300 },
  renderError: (ctx, out) => { ctx.type = "json"; ctx.body = out; },
});
const answer = provider.callback();

async function interact(request, response) {
  const { prompt, params } = await provider.interactionDetails(request, response);
  const fields = request.headers;
  if (prompt.name === "login") {
    const accountId = fields["x-account"];
    externalIds.set(accountId, fields["x-external-id"]);
    return provider.interactionFinished(request, response, {
      login: { accountId, acr: fields["x-acr"] },
    });
  }
  const { session } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope("openid");
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

createServer({ cert: readFileSync(config.cert), key: readFileSync(config.key) }, (request, response) => {
  if (!request.url.startsWith("/interaction/")) return answer(request, response);
  interact(request, response).catch((problem) => {
    response.statusCode = 500;
    response.end(String(problem));
  });
}).listen(config.port, "127.0.0.1", () => console.log("ready"));
