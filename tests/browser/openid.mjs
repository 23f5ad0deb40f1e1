// usage: node openid.mjs     with TACENDA_ORIGIN, TACENDA_ACCOUNT, TACENDA_EXTERNAL_ID, TACENDA_ACR, TACENDA_CHROMIUM
// A person signs in at the OpenID provider from the server's own page, comes back and signs out; then somebody else's
// answer is brought back, which opens nothing; then he signs in there for an application. One JSON line for each step that went well.
import { chromium } from 'playwright-core';

const { TACENDA_ORIGIN: origin, TACENDA_ACCOUNT: account, TACENDA_EXTERNAL_ID: external, TACENDA_ACR: acr,
  TACENDA_CHROMIUM: executablePath } = process.env;
const say = (step) => console.log(JSON.stringify({ step }));

// The certificates are the test's own; that browsers trust them is not what is shown here.
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext({
  ignoreHTTPSErrors: true,
  extraHTTPHeaders: { 'x-account': account, 'x-external-id': external, 'x-acr': acr },
});
const page = await context.newPage();
const problems = [];
page.on('pageerror', (error) => problems.push(error.message));
page.on('console', (line) => {
  if (/content security policy/i.test(line.text())) problems.push(line.text());
});
try {
  await page.goto(`${origin}/auth/sign-in`);
  await page.waitForSelector('#openid-form:not([hidden])');
  if (!(await page.textContent('#issuer')).startsWith('127.0.0.1:')) throw new Error('the page names no provider');
  say('offered');
  await page.click('#openid-form button');
  await page.waitForSelector('#inside:not([hidden])', { timeout: 60_000 });
  if ((await page.textContent('#name')) !== 'dr.browser') throw new Error('signed in as somebody else');
  if (page.url() !== `${origin}/auth/sign-in`) throw new Error('the code stays in the address');
  if ((await page.evaluate(() => sessionStorage.length)) !== 0) throw new Error('something is kept');
  say('signed in');
  await page.click('#out-form button');
  await page.waitForSelector('#outside:not([hidden])');

  const begun = await (await context.request.post(`${origin}/auth/openid/begin`, { data: {} })).json();
  const answer = page.waitForRequest((request) => request.url().startsWith(`${origin}/auth/openid/callback`));
  await page.goto(begun.url);
  await answer;
  await page.waitForSelector('#error:not([hidden])', { timeout: 60_000 });
  if (await page.isVisible('#inside')) throw new Error('a sign-in that this browser did not begin was finished');
  say('refused what it did not begin');
  // For an application, on pages that run no script.
  const asked = new URLSearchParams({
    response_type: 'code', client_id: 'app', redirect_uri: 'https://app.example.org/cb', scope: 'openid', state: 's',
    aud: `${origin}/fhir`, code_challenge_method: 'S256', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  });
  await page.goto(`${origin}/oauth/authorize?${asked}`);
  await page.click('button[formaction="/oauth/provider"]');
  await page.waitForSelector('button[value=allow]', { timeout: 60_000 });
  if (!(await page.textContent('main')).includes('dr.browser')) throw new Error('signed in as somebody else');
  const led = page.waitForRequest(/^https:\/\/app\.example\.org\/cb\?code=[^&]+&state=s/, { timeout: 60_000 });
  await page.click('button[value=allow]');
  await led;
  say('allowed an application');
  if (problems.length > 0) throw new Error(problems.join('\n'));
} finally {
  await browser.close();
}
