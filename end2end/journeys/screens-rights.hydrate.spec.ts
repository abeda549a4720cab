/** The pages of rights as pictures: a viewer's, a coach's, an operator's. Fails on sideways scrolling and on axe. */
import { account, button, field, fill, open } from '../support/pages';
import { shoot } from '../support/screens';
import { linkIn } from '../support/server';
import { PASSWORD, confirmedCoach, publishedWebinar, registered, stranger } from '../support/story';
import { expect, test } from '../support/test';
import { totp } from '../support/totp';

test("a viewer's own data, what she can do with it, and what the coach sees of that", async ({ page, browser, server }) => {
  test.setTimeout(300_000);
  const wide: string[] = [];
  await confirmedCoach(page, server);
  const webinar = await publishedWebinar(page, { title: 'The first week of a new client' });
  wide.push(...(await shoot(page, 'requests-empty', '/dashboard/requests')));
  const context = await stranger(browser, server, { javaScriptEnabled: true });
  const visit = await context.newPage();
  const { email } = await registered(visit, server, webinar.slug, 'karim');
  wide.push(...(await shoot(visit, 'my-data-door', '/my-data')));
  await open(visit, '/my-data');
  await fill(visit, { email });
  await button(visit, /send me the mail/i).click();
  const mail = await server.mail(email, /open it with this mail/i);
  await fill(visit, { code: mail.text.match(/\b\d{4} \d{4}\b/)![0] });
  await button(visit, /open my data/i).click();
  await expect(visit.getByText(webinar.title).first()).toBeVisible();
  wide.push(...(await shoot(visit, 'my-data-card', '/my-data')));
  const correct = await visit.getByRole('link', { name: /correct something/i }).getAttribute('href');
  const erase = await visit.getByRole('link', { name: /erase everything/i }).getAttribute('href');
  wide.push(...(await shoot(visit, 'my-data-correct', correct!)));
  wide.push(...(await shoot(visit, 'my-data-erase', erase!)));
  await open(visit, '/my-data');
  await visit.getByText(/object to a use/i).click();
  await visit.getByLabel('measuring what is watched').check();
  await button(visit, /^object$/i).click();
  await expect(visit.getByText(/kept and not used/i).first()).toBeVisible();
  wide.push(...(await shoot(visit, 'my-data-objected', '/my-data')));
  wide.push(...(await shoot(page, 'requests', '/dashboard/requests')));
  await open(visit, erase!);
  await button(visit, /erase it for good/i).click();
  await server.advance(60);
  await server.mail(email, /receipt/i);
  wide.push(...(await shoot(visit, 'my-data-empty', '/my-data')));
  wide.push(...(await shoot(visit, 'receipt-check', '/privacy/receipt')));
  await context.close();
  expect(wide).toEqual([]);
});

test("a coach's own data, an archive of it, and leaving", async ({ page, server }) => {
  test.setTimeout(300_000);
  const wide: string[] = [];
  const { email } = await confirmedCoach(page, server, 'Maya Brandt');
  await publishedWebinar(page, { title: 'The first week of a new client' });
  wide.push(...(await shoot(page, 'coach-data', '/dashboard/my-data')));
  await open(page, '/dashboard/my-data');
  const archive = page.locator('form[action$="/archive"]').first();
  const password = field(archive, 'password');
  // Asked for again only some time after signing in.
  if ((await password.count()) > 0) await password.fill(PASSWORD);
  await archive.getByRole('button').click();
  await server.mail(email, /archive|data/i);
  wide.push(...(await shoot(page, 'coach-data-archive', '/dashboard/my-data')));
  wide.push(...(await shoot(page, 'coach-leaving', '/dashboard/my-data/close')));
  await open(page, '/dashboard/my-data/close');
  await button(page, /mail me the link/i).click();
  const link = linkIn(await server.mail(email, /close your account/i), '/dashboard/my-data/close');
  wide.push(...(await shoot(page, 'coach-leaving-link', link)));
  await page.goto(link);
  await page.getByRole('radio', { name: /delete in 14 days/i }).check();
  await fill(page, { password: PASSWORD, name: 'Maya Brandt' });
  await button(page, /close my account/i).click();
  await expect(page.getByRole('status')).toContainText(/can call it off/i);
  wide.push(...(await shoot(page, 'coach-data-leaving', '/dashboard/my-data')));
  wide.push(...(await shoot(page, 'dashboard-leaving', '/dashboard')));
  expect(wide).toEqual([]);
});

test('the console of an operator', async ({ page, server, consoleGuard }) => {
  test.setTimeout(300_000);
  consoleGuard.allow(/status of 4\d\d/);
  const wide: string[] = [];
  const { email } = await confirmedCoach(page, server, 'Yana');
  server.command('account', 'operator', 'add', '--email', email);
  await open(page, '/dashboard/account');
  const begin = page.locator('form').filter({ has: page.getByRole('button', { name: /set up|turn on|switch on/i }) }).first();
  await fill(begin, { password: PASSWORD });
  await button(begin, /set up|turn on|switch on/i).click();
  const secret = ((await page.locator('[data-totp-secret], code').first().textContent()) ?? '').replace(/\s/g, '');
  await fill(page, { code: totp(secret, await server.now()) });
  await button(page, /turn on|switch on|confirm|finish/i).click();
  await expect(page.locator('[data-recovery-codes] li').first()).toBeVisible();
  await account.signOut(page);
  await server.advance(31);
  await account.signIn(page, email, PASSWORD);
  await account.secondFactor(page, totp(secret, await server.now()));
  await page.waitForURL(/\/dashboard/);
  for (const name of ['', '/disclosures', '/incidents', '/children', '/reviews', '/audit']) {
    wide.push(...(await shoot(page, `operators${name.replace('/', '-')}`, `/operators${name}`)));
  }
  await open(page, '/operators/reviews');
  await expect(field(page, 'summary')).toBeVisible();
  expect(wide).toEqual([]);
});
