import { account, button, fill, open } from '../support/pages';
import { linkIn } from '../support/server';
import { PASSWORD, confirmedCoach } from '../support/story';
import { accessible, expect, test } from '../support/test';

const NAME = 'Maya Brandt';

test('a coach sees everything held, leaves with one way back, and then for good with a receipt', async ({ page, server, consoleGuard }) => {
  // Signing in to an account that is gone is refused.
  consoleGuard.allow(/status of 422/);
  const { email } = await confirmedCoach(page, server, NAME);
  await open(page, '/dashboard/my-data');
  await expect(page.locator('#tldr')).toBeVisible();
  await page.locator('#held summary').first().click();
  await accessible(page);

  await page.getByRole('link', { name: /close my account/i }).click();
  await expect(page.locator('#going')).toBeVisible();
  await expect(page.locator('#kept')).toBeVisible();
  await button(page, /mail me the link/i).click();
  const first = linkIn(await server.mail(email, /close your account/i), '/dashboard/my-data/close');
  await page.goto(first);
  await accessible(page);
  await page.getByRole('radio', { name: /delete in 14 days/i }).check();
  await fill(page, { password: PASSWORD, name: NAME });
  await button(page, /close my account/i).click();
  await expect(page.getByRole('status')).toContainText(/can call it off/i);
  await server.mail(email, /deleted in 14 days/i);

  await page.goto('/dashboard/webinars');
  await expect(page.locator('.closed')).toContainText(/being deleted/i);
  await page.goto('/dashboard/my-data');
  await button(page, /call it off/i).click();
  await expect(page.getByRole('status')).toContainText(/as it was/i);
  await page.goto('/dashboard/webinars');
  await expect(page.locator('.closed')).toHaveCount(0);

  await page.goto('/dashboard/my-data/close');
  await button(page, /mail me the link/i).click();
  const newest = async () => linkIn(await server.mail(email, /close your account/i), '/dashboard/my-data/close');
  await expect.poll(newest).not.toBe(first);
  const second = await newest();
  await page.goto(second);
  await page.getByRole('radio', { name: /delete now/i }).check();
  await fill(page, { password: PASSWORD, name: NAME.toLowerCase() });
  await button(page, /close my account/i).click();
  await expect(page).toHaveURL(/\/privacy\/erasures\//);
  await expect(page.getByRole('status')).toBeVisible();
  await server.advance(7_200);
  // The receipt comes last: once it is mailed, the page has it.
  await server.mail(email, /receipt/i);
  await page.reload();
  await expect(page.locator('#receipt')).toBeVisible();
  await accessible(page);

  await account.signIn(page, email, PASSWORD);
  await expect(page.getByRole('alert').first()).toBeVisible();
});
