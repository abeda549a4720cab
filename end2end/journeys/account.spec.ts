import { account, button, field, fill, open } from '../support/pages';
import { linkIn } from '../support/server';
import { PASSWORD, confirmedCoach } from '../support/story';
import { address, expect, test } from '../support/test';
import { totp } from '../support/totp';

test('a coach signs up, confirms, signs in and out', async ({ page, server }) => {
  const { email } = await confirmedCoach(page, server);
  await expect(page).toHaveURL(/\/dashboard/);
  await account.signOut(page);
  await page.goto('/dashboard');
  await expect(page).toHaveURL(/\/login/);
  await account.signIn(page, email.toUpperCase(), PASSWORD);
  await expect(page).toHaveURL(/\/dashboard/);
});

test('a form that is refused names the field and keeps what was typed', async ({ page, consoleGuard }) => {
  consoleGuard.allow(/status of 422/);
  await open(page, '/signup');
  await fill(page, { name: 'Maya Brandt', email: 'maya@example.com', password: 'password', age_ok: true, terms: true });
  await button(page, /create|sign up|open.*account/i).click();
  await expect(field(page, 'password').first()).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page, 'name').first()).toHaveValue('Maya Brandt');
  await expect(field(page, 'email').first()).toHaveValue('maya@example.com');
});

test('signing up with a taken address answers alike and tells only its owner', async ({ page, server, context }) => {
  const { email } = await confirmedCoach(page, server);
  await context.clearCookies();
  await account.signUp(page, { name: 'Somebody Else', email, password: 'another long enough phrase' });
  await expect(page.getByText(/check your (inbox|mail|e-mail)|sent/i).first()).toBeVisible();
  await server.mail(email, /already/i);
});

test('a wrong password and an unknown address answer alike', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 4\d\d/);
  const { email } = await confirmedCoach(page, server);
  await account.signOut(page);
  await account.signIn(page, email, 'not the password');
  const wrong = await page.getByRole('alert').first().textContent();
  await account.signIn(page, address('nobody'), 'not the password');
  await expect(page.getByRole('alert').first()).toHaveText(wrong ?? '');
});

test('the second factor asks for six digits, once each, and recovery codes open the door once', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 4\d\d/);
  const { email } = await confirmedCoach(page, server);
  await open(page, '/dashboard/account');
  const begin = page.locator('form').filter({ has: page.getByRole('button', { name: /set up|turn on|switch on/i }) }).first();
  await fill(begin, { password: PASSWORD });
  await button(begin, /set up|turn on|switch on/i).click();
  const secret = ((await page.locator('[data-totp-secret], code').first().textContent()) ?? '').replace(/\s/g, '');
  server.neverLogged(secret);
  const first = totp(secret, await server.now());
  await fill(page, { code: first });
  await button(page, /turn on|switch on|confirm|finish/i).click();
  await expect(page.locator('[data-recovery-codes] li').first()).toBeVisible();
  const codes = (await page.locator('[data-recovery-codes] li, .recovery-codes li').allTextContents()).map((code) => code.trim());
  expect(codes.length).toBeGreaterThanOrEqual(8);

  await account.signOut(page);
  await account.signIn(page, email, PASSWORD);
  await account.secondFactor(page, first);
  // The page it was typed on has the same address: only the answer tells that the refusal is there.
  await expect(page.getByRole('alert').first(), 'a code works once').toBeVisible();
  await expect(page).toHaveURL(/second-factor/);
  await server.advance(31);
  await account.secondFactor(page, totp(secret, await server.now()));
  await page.waitForURL(/\/dashboard/);

  await account.signOut(page);
  await account.signIn(page, email, PASSWORD);
  await account.secondFactor(page, codes[0]!);
  await page.waitForURL(/\/dashboard/);
  await account.signOut(page);
  await account.signIn(page, email, PASSWORD);
  await account.secondFactor(page, codes[0]!);
  await expect(page.getByRole('alert').first(), 'a recovery code works once').toBeVisible();
  await expect(page).toHaveURL(/second-factor/);
});

test('a forgotten password is reset by mail, and every other browser is signed out', async ({ page, server, browser, consoleGuard }) => {
  consoleGuard.allow(/status of 422/);
  const { email } = await confirmedCoach(page, server);
  const other = await browser.newContext({ baseURL: server.url });
  const second = await other.newPage();
  await account.signIn(second, email, PASSWORD);
  await second.waitForURL(/\/dashboard/);

  await account.signOut(page);
  await open(page, '/reset');
  await fill(page, { email });
  await button(page, /send|reset/i).click();
  await expect(page.getByText(/check your|sent|on its way/i).first()).toBeVisible();
  const link = linkIn(await server.mail(email, /password/i), '/reset/new');
  await open(page, link);
  await fill(page, { password: 'short' });
  await button(page, /save|set|change/i).click();
  await expect(field(page, 'password').first(), 'too short is said beside the field').toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByRole('alert').first()).toContainText(/8 characters/i);
  await fill(page, { password: 'a brighter harbour lamp' });
  await button(page, /save|set|change/i).click();
  await page.waitForURL(/\/login/);
  await expect(page.getByText(/your password was changed/i).first()).toBeVisible();

  await second.goto('/dashboard');
  await expect(second, 'the other browser was signed out').toHaveURL(/\/login/);
  await account.signIn(page, email, 'a brighter harbour lamp');
  await page.waitForURL(/\/dashboard/);
  await other.close();
});

test('signed-in browsers are listed and can be sent away', async ({ page, server, browser }) => {
  const { email } = await confirmedCoach(page, server);
  const other = await browser.newContext({ baseURL: server.url });
  const second = await other.newPage();
  await account.signIn(second, email, PASSWORD);
  await second.waitForURL(/\/dashboard/);
  await open(page, '/dashboard/account');
  const others = button(page, /all other|other browsers|everywhere else/i);
  await others.click();
  await expect(others, 'there is nobody left to send away').toHaveCount(0);
  await second.goto('/dashboard');
  await expect(second).toHaveURL(/\/login/);
  await page.goto('/dashboard');
  await expect(page).toHaveURL(/\/dashboard/);
  await other.close();
});

test('what a fold hides opens when it has something to say', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 4\d\d/);
  await confirmedCoach(page, server);
  await open(page, '/dashboard/account');
  await page.getByText('Change the password').click();
  const form = page.locator('form', { has: field(page, 'current_password') });
  await fill(form, { current_password: 'not the password', password: 'a brighter harbour lamp' });
  await button(form, /change it/i).click();
  await expect(form.getByRole('alert').first()).toBeVisible();
  await fill(form, { current_password: PASSWORD, password: 'a brighter harbour lamp' });
  await button(form, /change it/i).click();
  await expect(page.getByText(/your password was changed/i).first()).toBeVisible();
});
