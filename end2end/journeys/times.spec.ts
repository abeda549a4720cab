/** A webinar at set times: its coach sets them, people choose one in their own zone, and the room opens on time. */
import type { Browser, Page } from '@playwright/test';
import { SECONDS_TO_FILL_A_FORM, button, fill, open } from '../support/pages';
import { linkIn, type Server } from '../support/server';
import { confirmedCoach, publishedWebinar, stranger, type WebinarStory } from '../support/story';
import { accessible, address, expect, test } from '../support/test';

const hasScript = () => test.info().project.use.javaScriptEnabled !== false;

async function visitor(browser: Browser, server: Server): Promise<Page> {
  return (await stranger(browser, server, { javaScriptEnabled: hasScript() })).newPage();
}

async function addRule(page: Page, id: string, values: Record<string, string | boolean>): Promise<void> {
  await open(page, `/dashboard/webinars/${id}/times`);
  await fill(page.locator('form.rule'), values);
  await button(page.locator('form.rule'), /^add$/i).click();
  await expect(page.locator('.rules li').last()).toBeVisible();
}

/** Chooses the slot at this place and registers; returns what the confirmation page says. */
async function book(page: Page, server: Server, webinar: WebinarStory, email: string, place = 0, zone?: string): Promise<string> {
  await page.goto(`/w/${webinar.slug}${zone ? `?zone=${zone}` : ''}`);
  await page.waitForLoadState('load');
  await page.locator('.slots input[type=radio]').nth(place).check();
  await fill(page, { email, consent: true });
  await server.advance(SECONDS_TO_FILL_A_FORM);
  await button(page, /^register$/i).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(/registered/i);
  return page.locator('main').innerText();
}

test('a weekly slot is set, chosen in another zone, waited for, and opens without a reload', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'weekly', tuesday: true, at: '18:00', zone: 'Europe/Paris' });
  await expect(page.locator('.rules')).toContainText('Every week on Tuesday at 18:00 (Europe/Paris)');
  await accessible(page);
  await fill(page, { kind: 'monthly_date' });
  await expect(page.locator('.for-monthly_date')).toBeVisible();
  await expect(page.locator('.for-weekly')).toBeHidden();
  await open(page, `/dashboard/webinars/${webinar.id}/times?zone=Asia/Tokyo`);
  await expect(page.locator('.sessions li').first()).toContainText('Asia/Tokyo');

  const viewer = await visitor(browser, server);
  const email = address('tom');
  server.neverLogged(email);
  const said = await book(viewer, server, webinar, email, 0, 'Asia/Tokyo');
  expect(said).toMatch(/Your time: Wednesday, .*Asia\/Tokyo/);
  const mail = await server.mail(email, /your link/i);
  expect(mail.text).toContain('Asia/Tokyo');
  const link = linkIn(mail, '/r/');
  server.neverLogged(new URL(link).pathname.slice(3));

  await viewer.goto(link);
  await expect(viewer.locator('.starts')).toContainText('Asia/Tokyo');
  await expect(viewer.locator('video')).toHaveCount(0);
  await accessible(viewer);
  const starts = new Date((await viewer.locator('.starts time').getAttribute('datetime'))!);
  const seconds = Math.floor((starts.getTime() - (await server.now()).getTime()) / 1000);
  await server.advance(seconds - 4);
  await viewer.goto(link);
  if (hasScript()) {
    await expect(viewer.locator('#countdown')).toHaveText(/00:0\d/);
    await expect(viewer.locator('video')).toBeVisible();
  } else {
    // Without a script the page asks for itself again.
    await expect(viewer.locator('video')).toBeVisible({ timeout: 15_000 });
  }
});

test('the same evening in three zones, and a browser that says where it is', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'daily', at: '19:00', floats: true });
  const viewer = await visitor(browser, server);
  for (const zone of ['America/Los_Angeles', 'Asia/Kolkata', 'Australia/Sydney']) {
    const said = await book(viewer, server, webinar, address('zoe'), 1, zone);
    expect(said).toMatch(new RegExp(`, 19:00 .*${zone.replace('_', ' ')}`));
  }
  if (hasScript()) {
    await viewer.goto(`/w/${webinar.slug}`);
    await expect(viewer).toHaveURL(/zone=America%2FLos_Angeles/);
    await expect(viewer.locator('.zone-picker summary')).toContainText('America/Los Angeles');
  }
});

test('registered already, she is offered a switch and keeps one link', async ({ page, browser, server }) => {
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page);
  await addRule(page, webinar.id, { kind: 'daily', at: '20:00', zone: 'Europe/Paris' });
  const viewer = await visitor(browser, server);
  const email = address('gita');
  server.neverLogged(email);
  await book(viewer, server, webinar, email, 0, 'Europe/Paris');
  const link = linkIn(await server.mail(email, /your link/i), '/r/');
  await server.advance(120);
  await book(viewer, server, webinar, email.toUpperCase(), 2, 'Europe/Paris');
  const offered = await viewer.locator('.switch strong').innerText();
  await button(viewer, /switch to this time/i).click();
  await expect(viewer.locator('.starts')).toContainText(offered);
  await viewer.goto(link);
  await expect(viewer.locator('.starts')).toContainText(offered);
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  await expect(page.locator('tbody tr')).toHaveCount(1);
});
