/** The registration page with its query, beside the same bytes as a file and the same page from two JavaScript frameworks. */
import { join } from 'node:path';
import { ROUNDS, compare, turn } from './ledger';
import { cpuSeconds, median } from './measure';
import { Nginx } from './nginx';
import { Peer, sqlite } from './peers';
import { DESCRIPTION, expect, kept, test } from './stage';
import { flood, get } from './wire';

const CONNECTIONS = 16;

/** What a browser sends, compression aside: the peers compress differently, and a proxy often does it for all. */
const BROWSER = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', Accept: 'text/html' };

interface Contender {
  name: string;
  pid: number;
  url: string;
  seen: number[];
}

/** Pages a CPU second, asked for as fast as they come. */
async function pages({ pid, url }: Contender, seconds: number): Promise<number> {
  const shot = { request: get(url, BROWSER), key: 0 };
  const failed: number[] = [];
  const before = cpuSeconds(pid);
  const answers = await flood(url, CONNECTIONS, seconds, () => shot, (_, status) => status !== 200 && failed.push(status));
  expect(failed.slice(0, 3), `${failed.length} of ${answers} pages of ${url} failed`).toEqual([]);
  return answers / (cpuSeconds(pid) - before);
}

/** The database the peers ask: the same fields, among the pages of others, in the shape each framework's guide suggests. */
function catalogue(file: string, slug: string, title: string): void {
  const database = sqlite(file);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE webinar (slug TEXT PRIMARY KEY, title TEXT, presenter TEXT, accent TEXT, description_html TEXT, poster_url TEXT,
      recorded TEXT, duration_minutes INTEGER, has_captions INTEGER, consent_text TEXT, state TEXT);
    CREATE TABLE field (slug TEXT, position INTEGER, name TEXT, label TEXT, kind TEXT, autocomplete TEXT, required INTEGER, PRIMARY KEY (slug, position));`);
  const webinar = database.prepare('INSERT INTO webinar VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const field = database.prepare('INSERT INTO field VALUES (?, ?, ?, ?, ?, ?, ?)');
  const paragraphs = DESCRIPTION.split('\n\n').map((text) => `<p>${text}</p>`).join('\n');
  const consent = 'I agree that my details and which parts of the recording I play are kept for Maya Brandt, as the privacy policy says.';
  const addresses = [slug, ...Array.from({ length: 200 }, (_, index) => `other-${index}`)];
  database.exec('BEGIN');
  for (const address of addresses) {
    webinar.run(address, title, 'Maya Brandt', '#225588', paragraphs, '/media/poster.jpg', 'October 2026', 3, 1, consent, 'published');
    field.run(address, 1, 'first_name', 'First name', 'text', 'given-name', 1);
  }
  database.exec('COMMIT');
  database.close();
}

test('a server-rendered page with its query', async ({ server, stage }) => {
  const { folder, webinar } = stage;
  const path = `/w/${webinar.slug}`;
  await kept(`${server.url}${path}`, join(folder, 'page.html'));
  const database = join(folder, 'catalogue.db');
  catalogue(database, webinar.slug, webinar.title);
  const nginx = await Nginx.start(folder, 'off');
  const svelte = await Peer.start('sveltekit/build/index.js', () => [], (port) => ({ HOST: '127.0.0.1', PORT: String(port), BENCH_DB: database }));
  const next = await Peer.start('node_modules/next/dist/bin/next', (port) => ['start', 'next', '-H', '127.0.0.1', '-p', String(port)], () => ({ BENCH_DB: database, NEXT_TELEMETRY_DISABLED: '1' }));
  const ours: Contender = { name: 'ours', pid: server.pid, url: `${server.url}${path}`, seen: [] };
  const peers: (Contender & { goal: number })[] = [
    { name: 'nginx, the same bytes as a file', pid: nginx.pid, url: `${nginx.url}/page.html`, seen: [], goal: 0.4 },
    { name: 'SvelteKit, adapter-node', pid: svelte.pid, url: `${svelte.url}${path}`, seen: [], goal: 10 },
    { name: 'Next.js, next start', pid: next.pid, url: `${next.url}${path}`, seen: [], goal: 50 },
  ];
  for (const contender of [ours, ...peers]) {
    const html = await (await fetch(contender.url)).text();
    for (const part of [webinar.title, 'Maya Brandt', 'Ten minutes that carry', 'name="email"', 'name="consent"']) expect(html, contender.name).toContain(part);
    console.log(`${contender.name}: ${Buffer.byteLength(html)} bytes of HTML`);
    // Compilers that learn while running get their chance before anything counts.
    await pages(contender, turn(2));
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const contender of [ours, ...peers]) contender.seen.push(await pages(contender, turn(1.5)));
  }
  for (const peer of [nginx, svelte, next]) peer.stop();
  const figure = { what: 'registration page with its query', unit: 'pages / CPU s', ours: median(ours.seen) };
  for (const { name, seen, goal } of peers) compare({ ...figure, beside: name, theirs: median(seen) }, { atLeast: goal });
});
