/** One real `mini-webinar` per worker: its own folder, its own clock, its own mailbox. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A mail as `GET /dev/mailbox.json` shows it. */
export interface Mail {
  id: string;
  at: string;
  to: string | string[];
  from: string;
  subject: string;
  text: string;
  html: string;
  attachments: { name: string; content_type: string; content: string }[];
}

const START_MS = 20_000;
const STOP_MS = 15_000;

export class Server {
  private process?: ChildProcess;
  private readonly folder = mkdtempSync(join(tmpdir(), 'mini-webinar-e2e-'));
  /** Addresses and tokens a log must never hold. */
  private readonly secrets = new Set<string>();

  private constructor(
    readonly url: string,
    private readonly port: number,
    private readonly log: string,
  ) {}

  static async start(name: string): Promise<Server> {
    const port = await freePort();
    const results = resolve('test-results');
    mkdirSync(results, { recursive: true });
    const server = new Server(`http://127.0.0.1:${port}`, port, join(results, `server-${name}.log`));
    await server.launch('w');
    return server;
  }

  /** Starts the binary with nothing in its environment but what it should know. */
  private async launch(logMode: 'w' | 'a'): Promise<void> {
    const binary = process.env.MW_BIN ?? resolve('../target/debug/mini-webinar');
    const log = createWriteStream(this.log, { flags: logMode });
    // The bench keeps the server on one core and its load on the other.
    const core = process.env.MW_BENCH_CORE;
    const [command, words] = core ? ['taskset', ['-c', core, binary, 'serve']] : [binary, ['serve']];
    this.process = spawn(command, words, {
      cwd: this.folder,
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.pipe(log);
    this.process.stderr?.pipe(log);
    let exited: string | undefined;
    this.process.once('error', (error) => (exited = `cannot start ${binary}: ${error.message}`));
    this.process.once('exit', (code, signal) => (exited ??= `ended with ${signal ?? code}`));
    const deadline = Date.now() + START_MS;
    for (;;) {
      if (exited) throw new Error(`mini-webinar ${exited}; see ${this.log}`);
      const ready = await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false);
      if (ready) return;
      if (Date.now() > deadline) throw new Error(`mini-webinar was not ready in ${START_MS} ms; see ${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Where the server keeps its databases. */
  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  get pid(): number {
    const pid = this.process?.pid;
    if (pid === undefined) throw new Error('the server is not running');
    return pid;
  }

  private environment(): Record<string, string | undefined> {
    return {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      RUST_LOG: process.env.RUST_LOG ?? 'info',
      MW_ADDR: `127.0.0.1:${this.port}`,
      MW_BASE_URL: this.url,
      MW_DATA_DIR: this.dataFolder,
      MW_DEV: '1',
      ...(process.env.MW_SITE ? { MW_SITE_DIR: process.env.MW_SITE } : {}),
    };
  }

  /** A command of the same binary on the same data, as an administrator types it. Returns what it printed. */
  command(...words: string[]): string {
    const binary = process.env.MW_BIN ?? resolve('../target/debug/mini-webinar');
    return execFileSync(binary, words, { cwd: this.folder, env: this.environment() as NodeJS.ProcessEnv, encoding: 'utf8' });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const running = this.process;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill(signal);
    const timer = setTimeout(() => running.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
  }

  /** Does something while no mail can leave: the mailbox is not there. */
  async withoutMail(work: () => Promise<void>): Promise<void> {
    const mailbox = join(this.dataFolder, 'mailbox');
    renameSync(mailbox, `${mailbox}.away`);
    try {
      await work();
    } finally {
      renameSync(`${mailbox}.away`, mailbox);
    }
  }

  /** Pulls the plug and starts again on the same folder. */
  async crashAndRestart(): Promise<void> {
    await this.end('SIGKILL');
    await this.launch('a');
  }

  /** Stops the server, and fails when its log holds anything personal. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
    const log = readFileSync(this.log, 'utf8');
    rmSync(this.folder, { recursive: true, force: true });
    const leaked = [...this.secrets].filter((secret) => log.includes(secret));
    if (leaked.length > 0) throw new Error(`the server's log holds ${leaked.length} personal values, such as “${leaked[0]}”`);
  }

  /** Watches for a value in the log until the server stops. */
  neverLogged(value: string): void {
    this.secrets.add(value);
  }

  async mailbox(): Promise<Mail[]> {
    const answer = await fetch(`${this.url}/dev/mailbox.json`);
    if (!answer.ok) throw new Error(`the dev mailbox answered ${answer.status}`);
    return (await answer.json()) as Mail[];
  }

  /** Mails to one address, newest first. */
  async mailsTo(address: string): Promise<Mail[]> {
    return (await this.mailbox()).filter((mail) => [mail.to].flat().some((to) => to.toLowerCase().includes(address.toLowerCase())));
  }

  /** Waits for a mail to an address whose subject fits. */
  async mail(to: string, subject: RegExp): Promise<Mail> {
    const deadline = Date.now() + 15_000;
    for (;;) {
      const mails = await this.mailsTo(to);
      const found = mails.find((mail) => subject.test(mail.subject));
      if (found) return found;
      if (Date.now() > deadline) {
        throw new Error(`no mail to ${to} about ${subject}; there are: ${mails.map((mail) => mail.subject).join(' | ') || 'none'}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }

  async now(): Promise<Date> {
    const answer = await fetch(`${this.url}/dev/clock`);
    return new Date(((await answer.json()) as { now: string }).now);
  }

  /** Moves the one clock; everything that fell due has run when this returns. */
  async advance(seconds: number): Promise<void> {
    const answer = await fetch(`${this.url}/dev/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ advance_seconds: seconds }),
    });
    if (!answer.ok) throw new Error(`the clock answered ${answer.status}: ${await answer.text()}`);
  }
}

/** The link in a mail whose path starts as given. */
export function linkIn(mail: Mail, path: string): string {
  const found = mail.text.match(new RegExp(`https?://[^\\s<>"]*${path.replace(/[/?]/g, '\\$&')}[^\\s<>"]*`));
  if (!found) throw new Error(`no link to ${path} in “${mail.subject}”:\n${mail.text}`);
  return found[0].replace(/[.,)]$/, '');
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
