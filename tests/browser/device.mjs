// usage: node device.mjs    with TACENDA_ORIGIN, TACENDA_USER, TACENDA_PASSWORD, TACENDA_FACTOR, TACENDA_TOKEN, TACENDA_PATHS (a
// JSON list of what is read), TACENDA_CONTROL (a page that may be kept), TACENDA_PROFILE (a folder), TACENDA_KEYS (whose
// certificates are good), TACENDA_CHROMIUM
// A person signs in on the server's page, reads records in that browser, by script and as documents, and signs out. The browser
// ends as when its window is closed, and leaves its profile behind. One JSON line for each step that went well.
import { chromium } from 'playwright-core';

const env = (name) => process.env[`TACENDA_${name}`];
const origin = env('ORIGIN');
const say = (step) => console.log(JSON.stringify({ step }));

// Not `ignoreHTTPSErrors`: what comes over a connection with an error is kept by no cache, and nothing would be shown.
const context = await chromium.launchPersistentContext(env('PROFILE'), {
  executablePath: env('CHROMIUM'),
  args: ['--no-sandbox', `--ignore-certificate-errors-spki-list=${env('KEYS')}`],
});
const page = await context.newPage();
await page.goto(env('CONTROL'));
say('control');

await page.goto(`${origin}/auth/sign-in`);
await page.fill('#user', env('USER'));
await page.fill('#password', env('PASSWORD'));
await page.fill('#factor', env('FACTOR'));
await page.click('#password-form button');
await page.waitForSelector('#inside:not([hidden])', { timeout: 60_000 });
say('signed in');

const authorization = `Bearer ${env('TOKEN')}`;
for (const path of JSON.parse(env('PATHS'))) {
  const length = await page.evaluate(
    async ([url, header]) => {
      const reply = await fetch(url, { headers: { authorization: header } });
      return reply.ok ? (await reply.text()).length : 0;
    },
    [path, authorization],
  );
  if (length === 0) throw new Error(`${path} was not read by script`);
}
say('read by script');

const reader = await context.newPage();
await reader.setExtraHTTPHeaders({ authorization });
for (const path of JSON.parse(env('PATHS'))) {
  const saved = reader.waitForEvent('download', { timeout: 3_000 }).catch(() => null);
  const reply = await reader.goto(`${origin}${path}`).catch(() => null);  // null: it was saved to disk, not shown
  if (reply === null) await (await saved)?.delete();
  else if (!reply.ok()) throw new Error(`${path} was not read as a document`);
}
await reader.close();
say('read as documents');

const kept = await page.evaluate(async () => [
  localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length,
]);
if (kept.some((count) => count !== 0)) throw new Error(`the page keeps something: ${kept}`);
await page.click('#out-form button');
await page.waitForSelector('#outside:not([hidden])');
if ((await context.cookies(origin)).length !== 0) throw new Error('a cookie stays');
say('signed out');
await context.close();
