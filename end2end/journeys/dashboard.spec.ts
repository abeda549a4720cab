import { button, editor, field, fill, open } from '../support/pages';
import { confirmedCoach, publishedWebinar, registered, stranger } from '../support/story';
import { accessible, expect, test } from '../support/test';

test('an empty account says what to do first', async ({ page, server }) => {
  await confirmedCoach(page, server);
  await open(page, '/dashboard');
  await expect(page.getByRole('link', { name: /webinar/i }).or(page.getByRole('button', { name: /webinar/i })).first()).toBeVisible();
  await accessible(page);
});

test('registrants can be found, filtered and downloaded', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page, { title: 'People' });
  const visitor = await stranger(browser, server, { javaScriptEnabled: false });
  const visit = await visitor.newPage();
  const anna = await registered(visit, server, webinar.slug, 'anna');
  const ben = await registered(visit, server, webinar.slug, 'ben');
  await visitor.close();

  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(page.getByText(anna.email)).toBeVisible();
  await expect(page.getByText(ben.email)).toBeVisible();
  await open(page, `/dashboard/webinars/${webinar.id}/registrants?search=${encodeURIComponent(anna.email)}`);
  await expect(page.getByText(anna.email).first()).toBeVisible();
  await expect(page.getByText(ben.email)).toHaveCount(0);
  await open(page, `/dashboard/webinars/${webinar.id}/registrants?status=attended_to_end`);
  await expect(page.getByText(anna.email)).toHaveCount(0);

  const csv = await page.request.get(`/dashboard/webinars/${webinar.id}/registrants.csv`);
  expect(csv.status()).toBe(200);
  expect(csv.headers()['content-type']).toContain('text/csv');
  const lines = (await csv.text()).trim().split(/\r?\n/);
  expect(lines.length, 'a heading and two people').toBe(3);
  expect(lines.join('\n')).toContain(anna.email);
});

test("somebody else's webinar is the same page as a missing one", async ({ page, browser, server, consoleGuard }) => {
  consoleGuard.allow(/status of 404/);
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  const other = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const stranger = await other.newPage();
  await confirmedCoach(stranger, server, 'Noor Haddad');
  const words = async (path: string) => {
    await stranger.goto(path);
    return (await stranger.locator('main').innerText()).replace(/\s+/g, ' ');
  };
  const missing = '01890000-0000-7000-8000-000000000000';
  for (const part of ['', '/results', '/registrants']) {
    expect(await words(`/dashboard/webinars/${webinar.id}${part}`)).toBe(await words(`/dashboard/webinars/${missing}${part}`));
  }
  for (const path of ['registrants.csv']) {
    const theirs = await stranger.request.get(`/dashboard/webinars/${webinar.id}/${path}`);
    const none = await stranger.request.get(`/dashboard/webinars/${missing}/${path}`);
    expect(theirs.status()).toBe(none.status());
    expect(await theirs.text()).toBe(await none.text());
  }
  await other.close();
});

test('the funnel counts a view, a registration, and shows its n', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  const visitor = await stranger(browser, server, { javaScriptEnabled: false });
  await registered(await visitor.newPage(), server, webinar.slug, 'counted');
  await visitor.close();
  await open(page, `/dashboard/webinars/${webinar.id}/results`);
  const count = (step: string) => page.locator('.funnel li').filter({ hasText: step }).locator('.count');
  await expect(count('Page views')).toHaveText('1');
  await expect(count('Registered')).toHaveText('1');
  await expect(count('Attended')).toHaveText('0');
  await accessible(page);
});

test('a published page closes and opens again', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  expect((await page.request.get(`/w/${webinar.slug}`)).status()).toBe(200);
  await editor.open(page, webinar.id);
  await button(page, /unpublish|close registration/i).click();
  const sure = page.getByRole('dialog').getByRole('button', { name: /unpublish|close/i }).first();
  if (await sure.isVisible().catch(() => false)) await sure.click();
  await expect(page.getByText(/^unpublished$/i).first()).toBeVisible();
  const visitor = await stranger(browser, server, { javaScriptEnabled: false });
  expect((await visitor.request.get(`/w/${webinar.slug}`)).status(), 'closed to everybody else').toBeGreaterThanOrEqual(400);
  await editor.open(page, webinar.id);
  await editor.publish(page);
  expect((await visitor.request.get(`/w/${webinar.slug}`)).status(), 'open again').toBe(200);
  await visitor.close();
});

test('what keeps a draft from being published is said beside the button', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 422/);
  await confirmedCoach(page, server);
  await editor.create(page, 'Not ready');
  await button(page, /^publish/i).click();
  const form = page.locator('form.publish');
  await expect(form.getByRole('alert')).toContainText(/recording|video|upload/i);
});

test('settings that are refused come back as they were chosen', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 422/);
  await confirmedCoach(page, server);
  await editor.create(page, 'Chosen');
  await field(page, 'first_name').selectOption('required');
  await page.getByText('Colour, sessions and what counts as watched').click();
  await field(page, 'own_accent').check();
  await field(page, 'accent').fill('#336699');
  await fill(page, { title: '', link_days: 'many' });
  await button(page, /^save/i).click();
  await expect(page.getByRole('alert').first()).toBeVisible();
  await expect(field(page, 'first_name')).toHaveValue('required');
  await expect(field(page, 'accent')).toHaveValue('#336699');
});

test('captions that are refused keep the page, and say why where they were chosen', async ({ page, server, consoleGuard }) => {
  consoleGuard.allow(/status of 4\d\d/);
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await editor.open(page, webinar.id);
  const form = page.locator('form.captions-form');
  await editor.captionInput(page).setInputFiles({ name: 'empty.vtt', mimeType: 'text/vtt', buffer: Buffer.from('no captions at all') });
  await fill(form, { language: 'pt-BR', label: 'Português' });
  await button(form, /add captions/i).click();
  await expect(form.getByRole('alert').first()).toBeVisible();
  await expect(field(form, 'language')).toHaveValue('pt-BR');
  await page.goto(`/dashboard/webinars/${webinar.id}?problem=Call+this+number`);
  await expect(page.getByText('Call this number'), 'nobody puts words into our mouth').toHaveCount(0);
});

test('two windows do not overwrite each other in silence', async ({ page, context, server, consoleGuard }) => {
  consoleGuard.allow(/status of 409/);
  await confirmedCoach(page, server);
  const id = await editor.create(page, 'Two windows');
  const other = await context.newPage();
  await editor.open(other, id);
  await fill(page, { presenter: 'Maya' });
  await editor.save(page);
  await fill(other, { presenter: 'Somebody else' });
  await button(other, /^save/i).click();
  await expect(other.getByRole('alert').first()).toBeVisible();
});
