/** The mails around a webinar: a coach changes one, and each person gets what fits, once, and can end it with one press. */
import type { Browser, Page } from '@playwright/test';
import { SECONDS_TO_FILL_A_FORM, button, fill, open } from '../support/pages';
import type { Server } from '../support/server';
import { confirmedCoach, publishedWebinar, stranger, type WebinarStory } from '../support/story';
import { accessible, address, expect, test } from '../support/test';

const hasScript = () => test.info().project.use.javaScriptEnabled !== false;

async function daily(page: Page, server: Server): Promise<WebinarStory> {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await open(page, `/dashboard/webinars/${webinar.id}/times`);
  await fill(page.locator('form.rule'), { kind: 'daily', at: '18:00', zone: 'Europe/Paris' });
  await button(page.locator('form.rule'), /^add$/i).click();
  await expect(page.locator('.rules li').last()).toBeVisible();
  return webinar;
}

/** Registers for the slot at this place; returns when it starts. */
async function book(browser: Browser, server: Server, webinar: WebinarStory, email: string, place: number): Promise<Date> {
  const visit = await (await stranger(browser, server, { javaScriptEnabled: hasScript() })).newPage();
  await visit.goto(`/w/${webinar.slug}?zone=Europe/Paris`);
  await visit.waitForLoadState('load');
  const slot = visit.locator('.slots label').nth(place);
  const starts = new Date((await slot.locator('time').getAttribute('datetime'))!);
  await visit.locator('.slots input[type=radio]').nth(place).check();
  await fill(visit, { email, consent: true });
  await server.advance(SECONDS_TO_FILL_A_FORM);
  await button(visit, /^register$/i).click();
  await expect(visit.getByRole('heading', { level: 1 })).toContainText(/registered/i);
  return starts;
}

const before = async (server: Server, at: Date, minutes: number): Promise<void> => {
  const seconds = Math.ceil((at.getTime() - (await server.now()).getTime()) / 1000) - minutes * 60;
  await server.advance(seconds);
};

test('a coach words a reminder, and whoever waits gets it in its minute', async ({ page, browser, server, consoleGuard }) => {
  // This test looks into the frame of a mail, in which nothing may run.
  consoleGuard.allow(/status of 422|Blocked script execution in .*preview/);
  const webinar = await daily(page, server);
  const email = address('ben');
  server.neverLogged(email);
  const starts = await book(browser, server, webinar, email, 1);
  await open(page, `/dashboard/webinars/${webinar.id}/mails`);
  await accessible(page);
  await page.locator('.sequence li', { hasText: '1 hour before the start' }).getByRole('link').click();
  const form = page.locator('.editing form').first();
  await fill(form, { subject: 'Kettle on: {{webinar}}', body: 'Hello {{frist_name}}' });
  await button(form, /^save$/i).click();
  await expect(page.getByText(/first_name/).first()).toBeVisible();
  await fill(page.locator('.editing form').first(), { body: 'Hello {{first_name|there}},\n\n[Open your page]({{link}})' });
  await button(page.locator('.editing form').first(), /^save$/i).click();
  await expect(page.locator('.done').filter({ hasText: /saved/i })).toBeVisible();
  await accessible(page);

  if (hasScript()) {
    // What is typed is shown as it would arrive, a pause behind, before it is saved.
    await button(page.locator('.preview'), /see how it arrives/i).click();
    const frame = page.frameLocator('.preview iframe');
    await expect(frame.getByText('Hello Anna')).toBeVisible();
    await fill(page.locator('.editing form').first(), { body: 'Good evening {{first_name|there}},\n\n[Open your page]({{link}})' });
    await expect(frame.getByText('Good evening Anna')).toBeVisible();
    await fill(page.locator('.editing form').first(), { body: 'Hello {{first_name|there}},\n\n[Open your page]({{link}})' });
  }

  await before(server, starts, 61);
  await before(server, starts, 59);
  const mail = await server.mail(email, /kettle on/i);
  expect(mail.text).toContain('Hello there,');
  expect(mail.text).toContain('/r/');
});

test('one press ends reminders, for people and for mail programs', async ({ page, browser, server, request }) => {
  const webinar = await daily(page, server);
  const email = address('ann');
  server.neverLogged(email);
  const starts = await book(browser, server, webinar, email, 1);
  await before(server, starts, 59);
  const mail = await server.mail(email, /begins at/i);
  const link = /https?:\/\/\S+\/u\/\S+/.exec(mail.text)![0];
  server.neverLogged(new URL(link).pathname.slice(3));
  const visit = await (await stranger(browser, server, { javaScriptEnabled: hasScript() })).newPage();
  await visit.goto(link);
  await accessible(visit);
  await button(visit, /end these mails/i).click();
  await expect(visit.getByRole('heading', { level: 1 })).toContainText(/no more/i);
  await button(visit, /get them again/i).click();
  await expect(visit.getByRole('heading', { level: 1 })).toContainText(/no more mail\?/i);
  const pressed = await request.post(link, { form: { 'List-Unsubscribe': 'One-Click' }, maxRedirects: 0 });
  expect(pressed.status()).toBe(200);
  await visit.goto(link);
  await expect(visit.getByRole('heading', { level: 1 })).toContainText(/you get no more/i);
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await page.locator('tbody tr').getByRole('link').first().click();
  await before(server, starts, 0);
  await page.reload();
  await expect(page.getByText(/unsubscribed from reminders/i)).toBeVisible();
});

/** Every mail to an address, newest first. */
const subjects = async (server: Server, email: string): Promise<string[]> => (await server.mailsTo(email)).map((mail) => mail.subject);

/** What the timeline of the newest registrant says. */
async function timeline(page: Page, webinar: WebinarStory): Promise<string> {
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await page.locator('tbody tr').getByRole('link').first().click();
  await expect(page.getByText('Confirmation mailed').first()).toBeVisible();
  return page.locator('main').innerText();
}

test('whoever registers late gets what is still ahead, and the coach sees why the rest did not go', async ({ page, browser, server }) => {
  const webinar = await daily(page, server);
  const look = await (await stranger(browser, server, { javaScriptEnabled: hasScript() })).newPage();
  await look.goto(`/w/${webinar.slug}?zone=Europe/Paris`);
  const starts = new Date((await look.locator('.slots time').nth(1).getAttribute('datetime'))!);
  await before(server, starts, 40);
  const email = address('ben');
  server.neverLogged(email);
  expect(await book(browser, server, webinar, email, 0)).toEqual(starts);
  await server.mail(email, /your link/i);
  await before(server, starts, 9);
  await server.mail(email, /your way in/i);
  expect(await subjects(server, email)).toHaveLength(2);
  expect((await timeline(page, webinar)).match(/registered too late/gi)).toHaveLength(2);
});

test('after an outage one reminder comes, once', async ({ page, browser, server }) => {
  const webinar = await daily(page, server);
  const email = address('eva');
  server.neverLogged(email);
  const starts = await book(browser, server, webinar, email, 2);
  await before(server, starts, 75);
  const told = (await subjects(server, email)).length;
  await server.withoutMail(() => before(server, starts, 9));
  await server.advance(120);
  await server.mail(email, /your way in/i);
  const all = await subjects(server, email);
  expect(all).toHaveLength(told + 1);
  expect(all.filter((subject) => /begins at/i.test(subject))).toEqual([]);
  expect(await timeline(page, webinar)).toMatch(/superseded/i);
});
