/** Every page as a picture: phone and desk, light and dark, empty and full. Fails on sideways scrolling and on axe. */
import { SECONDS_TO_FILL_A_FORM, button, fill, open } from '../support/pages';
import { shoot, shootMail } from '../support/screens';
import { linkIn } from '../support/server';
import { confirmedCoach, publishedWebinar, registered, stranger } from '../support/story';
import { address, expect, test } from '../support/test';

/** The hidden field that names a form of the studio. */
const FORM_FIELD = '_form';

test('pages anyone can open', async ({ page }) => {
  test.setTimeout(180_000);
  const wide: string[] = [];
  for (const [name, path] of [
    ['home', '/'],
    ['signup', '/signup'],
    ['login', '/login'],
    ['reset', '/reset'],
    ['terms', '/terms'],
    ['privacy', '/privacy'],
    ['privacy-versions', '/privacy/versions'],
    ['privacy-data-map', '/privacy/data-map'],
    ['privacy-records', '/privacy/records'],
    ['privacy-recipients', '/privacy/subprocessors'],
    ['privacy-promises', '/privacy/promises'],
    ['privacy-complain', '/privacy/complain'],
    ['privacy-report-child', '/privacy/report-child'],
    ['kit', '/dev/kit'],
  ] as const) {
    await test.step(name, async () => void wide.push(...(await shoot(page, name, path))));
  }
  expect(wide).toEqual([]);
});

test('pages of a coach, empty and with somebody there', async ({ page, browser, server }) => {
  test.setTimeout(300_000);
  const wide: string[] = [];
  await confirmedCoach(page, server);
  for (const [name, path] of [
    ['dashboard-empty', '/dashboard'],
    ['webinars-empty', '/dashboard/webinars'],
    ['account', '/dashboard/account'],
  ] as const) {
    wide.push(...(await shoot(page, name, path)));
  }
  const webinar = await publishedWebinar(page, {
    title: 'Donaudampfschifffahrtsgesellschaftskapitänsmützen und was wir daraus für das erste Gespräch lernen',
    description: 'What the first week decides.\n\n- one question\n- one pause\n\nمرحبا بكم في هذا التسجيل',
  });
  const visitor = await stranger(browser, server, { javaScriptEnabled: true });
  const visit = await visitor.newPage();
  wide.push(...(await shoot(visit, 'registration', `/w/${webinar.slug}`)));
  wide.push(...(await shoot(visit, 'embed', `/w/${webinar.slug}/embed`)));
  const { room } = await registered(visit, server, webinar.slug, 'a.very.long.name.that.somebody.really.has');
  wide.push(...(await shoot(visit, 'room', room)));
  await visitor.close();
  for (const [name, path] of [
    ['dashboard', '/dashboard'],
    ['webinars', '/dashboard/webinars'],
    ['editor', `/dashboard/webinars/${webinar.id}`],
    ['results', `/dashboard/webinars/${webinar.id}/results`],
    ['registrants', `/dashboard/webinars/${webinar.id}/registrants`],
  ] as const) {
    wide.push(...(await shoot(page, name, path)));
  }
  await open(page, `/dashboard/webinars/${webinar.id}/registrants`);
  const person = await page.locator('a[href*="/registrants/"]').first().getAttribute('href');
  if (person) wide.push(...(await shoot(page, 'registrant', person)));
  expect(wide).toEqual([]);
});

test('two hundred webinars, a logo, and words from right to left', async ({ page, browser, server }) => {
  test.setTimeout(300_000);
  const wide: string[] = [];
  await confirmedCoach(page, server, 'ליאורה בן־דוד');
  for (let count = 1; count < 200; count += 1) {
    const made = await page.request.post('/dashboard/webinars', { form: { [FORM_FIELD]: 'create_webinar', title: `Conversation ${count}` } });
    expect(made.ok()).toBe(true);
  }
  const webinar = await publishedWebinar(page, {
    title: 'השבוע הראשון: איך מקשיבים לפני שמתכננים',
    description: 'שבוע אחד, הבטחה קטנה אחת.\n\n- לשאול\n- לחכות\n\nAn English paragraph among the others.',
    presenter: 'ליאורה בן־דוד',
  });
  const logo = await page.request.post(`/dashboard/webinars/${webinar.id}/logo`, {
    multipart: { file: { name: 'logo.png', mimeType: 'image/png', buffer: await page.screenshot({ clip: { x: 0, y: 0, width: 240, height: 60 } }) } },
  });
  expect(logo.ok()).toBe(true);
  const visitor = await stranger(browser, server, { javaScriptEnabled: true });
  const visit = await visitor.newPage();
  wide.push(...(await shoot(visit, 'registration-rtl', `/w/${webinar.slug}`)));
  const { room } = await registered(visit, server, webinar.slug, 'noa');
  wide.push(...(await shoot(visit, 'room-rtl', room)));
  await visitor.close();
  for (const [name, path] of [
    ['dashboard-full', '/dashboard'],
    ['webinars-full', '/dashboard/webinars'],
    ['editor-rtl', `/dashboard/webinars/${webinar.id}`],
    ['results-rtl', `/dashboard/webinars/${webinar.id}/results`],
  ] as const) {
    wide.push(...(await shoot(page, name, path)));
  }
  expect(wide).toEqual([]);
});

test('pages for people who are lost', async ({ page, consoleGuard }) => {
  consoleGuard.allow(/status of 4\d\d/);
  const wide = [
    ...(await shoot(page, 'missing', '/w/there-is-no-such-webinar')),
    ...(await shoot(page, 'missing-page', '/there-is-no-such-page')),
  ];
  expect(wide).toEqual([]);
});

test('a webinar at set times: its times, the choice of one, the waiting room', async ({ page, browser, server }) => {
  test.setTimeout(300_000);
  const wide: string[] = [];
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page, { description: 'Two sentences on what people will learn.' });
  const times = `/dashboard/webinars/${webinar.id}/times`;
  wide.push(...(await shoot(page, 'times-empty', times)));
  const rules: Record<string, string | boolean>[] = [
    { kind: 'weekly', tuesday: true, at: '02:30', zone: 'Europe/Paris' },
    { kind: 'just_in_time', every_minutes: '15' },
  ];
  for (const values of rules) {
    await open(page, times);
    await fill(page.locator('form.rule'), values);
    await button(page.locator('form.rule'), /^add$/i).click();
    await expect(page.locator('.done').filter({ hasText: /added/i })).toBeVisible();
  }
  wide.push(...(await shoot(page, 'times', times)));
  const visit = await (await stranger(browser, server, { javaScriptEnabled: true })).newPage();
  wide.push(...(await shoot(visit, 'registration-times', `/w/${webinar.slug}?zone=America/Argentina/Buenos_Aires`)));
  await visit.locator('.slots input[type=radio]').first().check();
  const email = address('tom');
  await fill(visit, { email, consent: true });
  await server.advance(SECONDS_TO_FILL_A_FORM);
  await button(visit, /^register$/i).click();
  const link = new URL(linkIn(await server.mail(email, /your link/i), '/r/')).pathname;
  wide.push(...(await shoot(visit, 'waiting', link)));
  const mails = `/dashboard/webinars/${webinar.id}/mails`;
  wide.push(...(await shoot(page, 'mails', mails)));
  const followUp = page.locator('.sequence li', { hasText: 'after the end' }).getByRole('link').first();
  wide.push(...(await shoot(page, 'mail-open', mails + (await followUp.getAttribute('href'))!)));
  wide.push(...(await shoot(page, 'mail-new', `${mails}?mail=new`)));
  const ends = /https?:\/\/\S+(\/u\/\S+)/.exec((await server.mail(email, /your link/i)).text)![1];
  wide.push(...(await shoot(visit, 'mail-choice', ends)));
  const rehearsal = `/dashboard/webinars/${webinar.id}/rehearsal?name=Noor&zone=America/New_York&manner=comes&late=5&leaves=1`;
  wide.push(...(await shoot(page, 'rehearsal', rehearsal)));
  await visit.goto(`/w/${webinar.slug}?zone=Europe/Paris`);
  await visit.locator('.slots input[type=radio]').last().check();
  const booked = address('una');
  await fill(visit, { email: booked, consent: true });
  await server.advance(SECONDS_TO_FILL_A_FORM);
  await button(visit, /^register$/i).click();
  const hers = new URL(linkIn(await server.mail(booked, /your link/i), '/r/')).pathname;
  await open(page, times);
  const session = (await page.locator('#booked').getByRole('link', { name: /move or call off/i }).getAttribute('href'))!;
  wide.push(...(await shoot(page, 'times-booked', times + session)));
  const off = page.locator('#booked .editing form').nth(1);
  await open(page, times + session);
  await fill(off, { note: 'I caught a cold, and a voice like this is no pleasure to listen to.' });
  await button(off, /call it off/i).click();
  await expect(page.locator('#booked > .done')).toBeVisible();
  wide.push(...(await shoot(visit, 'called-off', hers)));
  const letters = await (await stranger(browser, server, { javaScriptEnabled: true })).newPage();
  wide.push(...(await shootMail(letters, 'letter-confirmation', (await server.mail(booked, /your link/i)).html)));
  wide.push(...(await shootMail(letters, 'letter-called-off', (await server.mail(booked, /called off/i)).html)));
  expect(wide).toEqual([]);
});
