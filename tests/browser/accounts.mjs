// usage: node accounts.mjs     with TACENDA_ORIGIN, TACENDA_CODE (of an enrolment), TACENDA_CHROMIUM
// A person enrols, signs in, registers a passkey of Chromium's virtual authenticator, signs out and in by it, and
// confirms what is to be read. One JSON line for each step that went well.
import { createHmac } from 'node:crypto';
import { chromium } from 'playwright-core';

const { TACENDA_ORIGIN: origin, TACENDA_CODE: code, TACENDA_CHROMIUM: executablePath } = process.env;
const password = 'correct horse battery staple';

function totp(secret, shift = 0) {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + shift));
  const mac = createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const say = (step) => console.log(JSON.stringify({ step }));

// The certificate is the test's own; that browsers trust it is not what is shown here.
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext({ ignoreHTTPSErrors: true });
const page = await context.newPage();
const problems = [];
page.on('pageerror', (error) => problems.push(error.message));
page.on('console', (line) => {
  if (/content security policy/i.test(line.text())) problems.push(line.text());
});
try {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });

  await page.goto(`${origin}/auth/enrol#${code}`);
  await page.fill('#password', password);
  await page.fill('#repeated', password);
  await page.click('#password-form button');
  await page.waitForSelector('#factor-form:not([hidden])');
  const secret = (await page.textContent('#key')).replaceAll(' ', '');
  await page.fill('#totp', totp(secret));
  await page.click('#factor-form button');
  await page.waitForSelector('#done:not([hidden])');
  const codes = (await page.textContent('#codes')).trim().split('\n');
  if (codes.length !== 10) throw new Error(`${codes.length} recovery codes`);
  say('enrolled');

  await page.goto(`${origin}/auth/sign-in`);
  await page.fill('#user', 'dr.browser');
  await page.fill('#password', password);
  await page.fill('#factor', codes[0]);
  await page.click('#password-form button');
  await page.waitForSelector('#inside:not([hidden])');
  if ((await page.textContent('#left')) !== '9') throw new Error('the recovery code was not used up');
  say('signed in by a recovery code');

  await page.fill('#label', 'virtual');
  await page.click('#add-form button');
  await page.waitForSelector('#passkeys li');
  const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
  if (credentials.length !== 1 || !credentials[0].isResidentCredential) throw new Error('no resident credential');
  say('passkey added');

  await page.click('#out-form button');
  await page.waitForSelector('#outside:not([hidden])');
  await page.click('#passkey-form button');
  await page.waitForSelector('#inside:not([hidden])');
  if ((await page.textContent('#name')) !== 'dr.browser') throw new Error('signed in as somebody else');
  say('signed in by passkey');

  for (let left = await page.locator('#topics button').count(); left > 0; --left) {
    await page.locator('#topics button').first().click();
    await page.waitForFunction((count) => document.querySelectorAll('#topics button').length === count, left - 1);
  }
  say('texts confirmed');

  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await page.click('#out-form button');
  await page.waitForSelector('#outside:not([hidden])');
  await page.click('#passkey-form button');
  await page.waitForSelector('#error:not([hidden])', { timeout: 60_000 });
  if (await page.isVisible('#inside')) throw new Error('let in without a verified user');
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  await page.click('#passkey-form button');
  await page.waitForSelector('#inside:not([hidden])', { timeout: 60_000 });
  say('refused without a verified user, and for nothing else');
  if (problems.length > 0) throw new Error(problems.join('; '));
} finally {
  await browser.close();
}
