import type { Page } from '@playwright/test';
import { PrivacyGuard } from '../support/guards';
import { editor, field, fill, open, registration, SECONDS_TO_FILL_A_FORM } from '../support/pages';
import { confirmedCoach, publishedWebinar, registered, stranger, type WebinarStory } from '../support/story';
import { address, expect, test } from '../support/test';

// The coach's side is made once, with JavaScript; the viewer has it blocked.
let webinar: WebinarStory;
let coach: Page;
test.beforeAll(async ({ browser, server }) => {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: true });
  coach = await context.newPage();
  await confirmedCoach(coach, server);
  webinar = await publishedWebinar(coach);
});
test.afterAll(async () => coach.context().close());

test('a viewer registers with JavaScript blocked and gets one mail with her own link', async ({ browser, server }) => {
  const context = await stranger(browser, server, { javaScriptEnabled: false });
  const guard = new PrivacyGuard(context, [server.url]);
  const page = await context.newPage();
  const { email, room } = await registered(page, server, webinar.slug, 'tom');
  await expect(page.getByText(email)).toBeVisible();
  await page.goto(room);
  await expect(page.locator('video')).toBeVisible();
  await expect(page.getByText(/this is a recording/i).first()).toBeVisible();
  await expect(page.getByText(/3 minutes/).first()).toBeVisible();
  await expect(page.getByText(/October 2026/).first()).toBeVisible();
  expect((await server.mailsTo(email)).length, 'one mail').toBe(1);
  await guard.check(page);
  await context.close();
});

test('pressing submit twice makes one registration', async ({ browser, server }) => {
  const context = await stranger(browser, server, { javaScriptEnabled: false });
  const page = await context.newPage();
  const email = address('twice');
  await page.goto(`/w/${webinar.slug}`);
  await fill(page, { email, consent: true });
  await server.advance(SECONDS_TO_FILL_A_FORM);
  // What the browser would post, twice at once: the fastest double click there is.
  const form = Object.fromEntries(
    await Promise.all(
      (await page.locator('form').first().locator('input[name]').all()).map(async (input) => [
        await input.getAttribute('name'),
        (await input.getAttribute('type')) === 'checkbox' ? 'on' : await input.inputValue(),
      ]),
    ),
  ) as Record<string, string>;
  const target = new URL((await page.locator('form').first().getAttribute('action')) ?? '', page.url()).href;
  const post = () => page.request.post(target, { form, headers: { origin: server.url }, maxRedirects: 0 });
  const answers = await Promise.all([post(), post(), post()]);
  for (const answer of answers) expect(answer.status()).toBeLessThan(400);
  await registration.register(page, server, webinar.slug, { email: email.toUpperCase() });
  const mails = await server.mailsTo(email);
  const links = new Set(mails.flatMap((mail) => mail.text.match(/\/r\/[\w-]+/g) ?? []));
  expect(links.size, 'one registration has one link').toBe(1);
  await context.close();
});

test('what is wrong is named beside its field and nothing typed is lost', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 422/);
  await registration.register(page, server, webinar.slug, { email: 'tom at example' });
  await expect(field(page, 'email').first()).toHaveValue('tom at example');
  await expect(field(page, 'email').first()).toHaveAttribute('aria-invalid', 'true');
  await expect(field(page, 'consent').first()).toBeChecked();
});

test('an unknown address and an unpublished draft are the same page', async ({ page, server }) => {
  const missing = await page.request.get(`${server.url}/w/there-is-no-such-webinar`);
  expect(missing.status()).toBe(404);
  const token = await page.request.get(`${server.url}/r/${'A'.repeat(43)}`);
  expect(token.status()).toBe(404);
  await editor.create(coach, 'Not for anybody yet');
  const slug = await field(coach, 'slug').inputValue();
  expect(slug).not.toBe('');
  expect((await coach.request.get(`/w/${slug}`)).status(), 'its coach sees it').toBe(200);
  const draft = await page.request.get(`${server.url}/w/${slug}`);
  expect(draft.status()).toBe(404);
  expect(await draft.text()).toBe(await missing.text());
});

test('opening a link, or scanning it, is not attendance', async ({ browser, server }) => {
  const context = await stranger(browser, server, { javaScriptEnabled: false });
  const page = await context.newPage();
  const { email, room } = await registered(page, server, webinar.slug, 'scanner');
  for (const method of ['GET', 'HEAD']) expect((await page.request.fetch(room, { method })).status()).toBe(200);
  await page.goto(room);
  await expect(page.locator('video')).toBeVisible();
  await context.close();
  await open(coach, `/dashboard/webinars/${webinar.id}/registrants`);
  const row = coach.getByRole('row', { name: new RegExp(email) });
  await expect(row).toContainText(/registered/i);
  await expect(row).not.toContainText(/watching|attended|left early/i);
  await open(coach, `/dashboard/webinars/${webinar.id}/results`);
  await expect(coach.locator('.funnel li').filter({ hasText: 'Attended' }).locator('.count')).toHaveText('0');
});
