// usage: node smart.mjs    with TACENDA_CHROMIUM, TACENDA_RESOLVE (a rule for the server's name), TACENDA_FHIR (the FHIR
// base), TACENDA_APP (where the application's page is), and TACENDA_STEPS: a JSON list of what somebody does, each
// {"step", "user", "password", "factor", "patient", "launch", "passkey"}, the last three where there are any; with a
// passkey he makes one of Chromium's virtual authenticator first, and signs in by that.
// fhirclient's own build, unchanged, in a page of another origin: it sends the person to the server's pages, who signs in
// and allows what is asked for, and comes back with a token. One JSON line for each step that went well: what the page
// found out.
import { chromium } from 'playwright-core';

const env = (name) => process.env[`TACENDA_${name}`];

async function makePasskey(context, page, origin, { user, password, factor }) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(`${origin}/auth/sign-in`);
  await page.fill('#user', user);
  await page.fill('#password', password);
  await page.fill('#factor', factor);
  await page.click('#password-form button');
  await page.waitForSelector('#inside:not([hidden])');
  await page.fill('#label', 'virtual');
  await page.click('#add-form button');
  await page.waitForSelector('#passkeys li');
}

async function signIn(page, { user, password, factor, passkey }) {
  if (passkey) {
    await page.click('button[formaction="/oauth/passkey"]');
    await page.waitForSelector('#passkey');
    await page.click('#passkey button');
    return;
  }
  await page.fill('#user', user);
  await page.fill('#password', password);
  await page.fill('#factor', factor);
  await page.click('form[action="/oauth/sign-in"] button');
}

// The certificate is the test's own; that browsers trust it is not what is shown here.
const args = ['--no-sandbox', `--host-resolver-rules=${env('RESOLVE')}`];
const browser = await chromium.launch({ executablePath: env('CHROMIUM'), args });
try {
  for (const asked of JSON.parse(env('STEPS'))) {
    const { step, patient, launch, passkey } = asked;
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (line) => {
      if (/content security policy|cors/i.test(line.text())) problems.push(line.text());
    });
    if (passkey) await makePasskey(context, page, new URL(env('FHIR')).origin, asked);
    const start = new URL('/launch.html', env('APP'));
    start.searchParams.set('iss', env('FHIR'));
    if (launch) start.searchParams.set('launch', launch);
    await page.goto(start.href);

    await page.waitForSelector('form[action="/oauth/sign-in"]');
    if (new URL(page.url()).origin !== new URL(env('FHIR')).origin) throw new Error(`signed in at ${page.url()}`);
    await signIn(page, asked);
    await page.waitForSelector('form[action="/oauth/consent"]');
    if (patient) await page.fill('#patient', patient);
    await page.click('button[value="allow"]');

    await page.waitForSelector('#found:not([hidden])', { timeout: 60_000 });
    if (new URL(page.url()).origin !== new URL(env('APP')).origin) throw new Error(`came back to ${page.url()}`);
    const found = JSON.parse(await page.textContent('#found'));
    if (found.problem) throw new Error(`${step}: ${found.problem}`);
    if (problems.length > 0) throw new Error(problems.join('; '));
    console.log(JSON.stringify({ step, ...found }));
    await context.close();
  }
} finally {
  await browser.close();
}
